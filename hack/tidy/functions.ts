import type { Token } from "./tokens.ts";

export interface FunctionSpan {
  readonly line: number;
  readonly lines: number;
  /** True for the callback of `describe`, which is a list of tests rather than a function. */
  readonly describes: boolean;
}

const statementWords = new Set(["if", "for", "while", "switch", "catch", "with"]);
const closers: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };

/** Every function body in braces: declarations, methods, arrow functions. */
export function functionsOf(tokens: readonly Token[]): readonly FunctionSpan[] {
  const pairs = pairsOf(tokens);
  const found: FunctionSpan[] = [];
  tokens.forEach((token, index) => {
    const body =
      token.text === ")" && token.kind === "punctuator" ? bodyAfter(tokens, pairs, index) : undefined;
    const start = pairs.get(index);
    if (body === undefined || start === undefined) return;
    const end = tokens[pairs.get(body) ?? body];
    const first = tokens[start];
    if (end === undefined || first === undefined) return;
    found.push({
      line: first.line,
      lines: end.line - first.line + 1,
      describes: isDescribe(tokens, pairs, start),
    });
  });
  return found;
}

/** Index of each bracket to the index of its partner, both ways. */
function pairsOf(tokens: readonly Token[]): ReadonlyMap<number, number> {
  const pairs = new Map<number, number>();
  const open: number[] = [];
  tokens.forEach((token, index) => {
    if (token.kind !== "punctuator") return;
    if (["(", "[", "{"].includes(token.text)) open.push(index);
    const wanted = closers[token.text];
    if (wanted === undefined) return;
    const partner = open.pop();
    if (partner === undefined || tokens[partner]?.text !== wanted) return;
    pairs.set(index, partner).set(partner, index);
  });
  return pairs;
}

/** The brace that opens the body of the function whose parameter list ends at `close`. */
function bodyAfter(
  tokens: readonly Token[],
  pairs: ReadonlyMap<number, number>,
  close: number,
): number | undefined {
  const open = pairs.get(close);
  if (open === undefined || statementWords.has(wordAt(tokens, open - 1))) return undefined;
  let at = close + 1;
  if (tokens[at]?.text === ":") at = skipType(tokens, pairs, at + 1);
  if (tokens[at]?.text === "=>") at += 1;
  return isMark(tokens[at], "{") ? at : undefined;
}

/** Behind the return type that begins at `start`: at the body, the arrow, or whatever shows that it is no type. */
function skipType(tokens: readonly Token[], pairs: ReadonlyMap<number, number>, start: number): number {
  let at = start;
  let angles = 0;
  while (at < tokens.length) {
    const token = tokens[at];
    const operandDone = at > start && endsOperand(tokens[at - 1]);
    if (token === undefined || [";", "=", ")", "]", "}"].includes(token.text)) return at;
    if (angles === 0 && token.text === ",") return at;
    if (angles === 0 && operandDone && (token.text === "{" || token.text === "=>")) return at;
    if (token.text === "<") angles += 1;
    if (token.text === ">") angles -= 1;
    at = ["(", "[", "{"].includes(token.text) ? (pairs.get(at) ?? at) + 1 : at + 1;
    // A function type ends with its own arrow and result, so the arrow behind its parameters is no body.
    if (token.text === "(" && tokens[at]?.text === "=>") at += 1;
  }
  return at;
}

function endsOperand(token: Token | undefined): boolean {
  if (token === undefined) return false;
  if (token.kind === "punctuator") return [")", "]", "}", ">"].includes(token.text);
  return !["is", "extends", "keyof", "readonly", "typeof", "asserts", "infer"].includes(token.text);
}

/** Whether the function that begins at `start` is an argument of `describe(…)` or `describe.each(…)(…)`. */
function isDescribe(tokens: readonly Token[], pairs: ReadonlyMap<number, number>, start: number): boolean {
  let at = start - 1;
  while (at >= 0 && !isMark(tokens[at], "(")) {
    if (isMark(tokens[at], "{") || isMark(tokens[at], ";")) return false;
    at = [")", "]", "}"].includes(tokens[at]?.text ?? "") ? (pairs.get(at) ?? at) - 1 : at - 1;
  }
  for (at -= 1; at >= 0; at -= 1) {
    if (wordAt(tokens, at) === "describe") return true;
    if (isMark(tokens[at], ")")) at = pairs.get(at) ?? at;
    else if (tokens[at]?.kind !== "word" && !isMark(tokens[at], ".")) return false;
  }
  return false;
}

function isMark(token: Token | undefined, text: string): boolean {
  return token?.kind === "punctuator" && token.text === text;
}

function wordAt(tokens: readonly Token[], index: number): string {
  const token = tokens[index];
  return token?.kind === "word" ? token.text : "";
}
