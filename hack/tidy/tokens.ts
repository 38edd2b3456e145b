/**
 * A scanner for TypeScript source text, exact enough to tell code from comments, strings, templates and regular
 * expressions. The compiler's own parser has no JavaScript API in TypeScript 7, and these checks need no types.
 */
export interface Token {
  readonly kind: "word" | "number" | "string" | "template" | "regex" | "punctuator";
  /** Of a string: what stands between the quotes, as written. */
  readonly text: string;
  readonly line: number;
}

/** After these words a slash begins a regular expression, although words otherwise end an operand. */
const operatorWords = new Set(
  "return typeof instanceof in of new delete void throw case do else yield await default extends".split(" "),
);

/** Comments and white space are left out; the text of a template's `${}` becomes tokens of its own. */
export function tokensOf(source: string): readonly Token[] {
  const scanner: Scanner = { source, at: 0, line: 1, tokens: [], braces: [] };
  while (scanner.at < source.length) scanNext(scanner);
  return scanner.tokens;
}

interface Scanner {
  readonly source: string;
  at: number;
  line: number;
  readonly tokens: Token[];
  /** What each open brace belongs to: a brace that closes a `${` goes back into its template. */
  readonly braces: ("block" | "template")[];
}

const space = /\s+/y;
const comment = /\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)/y;
const word = /[\p{ID_Start}_$#@][\p{ID_Continue}$]*/uy;
const number = /\.?\d[\w.]*/y;
const text = /"(?:[^"\\\n]|\\[^])*"?|'(?:[^'\\\n]|\\[^])*'?/y;
const regex = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const punctuator = /=>|\?\?=?|\?\.(?!\d)|\.\.\.|[^]/y;
const templatePart = /(?:[^`\\$]|\\[^]|\$(?!\{))*(?:`|\$\{|$)/y;

function scanNext(scanner: Scanner): void {
  if (take(scanner, space) !== undefined || take(scanner, comment) !== undefined) return;
  const line = scanner.line;
  const push = (kind: Token["kind"], value: string) => scanner.tokens.push({ kind, text: value, line });

  const quoted = take(scanner, text);
  if (quoted !== undefined) return void push("string", quoted.slice(1, -1));
  const name = take(scanner, word);
  if (name !== undefined) return void push("word", name);
  const digits = take(scanner, number);
  if (digits !== undefined) return void push("number", digits);
  const pattern = operandExpected(scanner.tokens.at(-1)) ? take(scanner, regex) : undefined;
  if (pattern !== undefined) return void push("regex", pattern);

  const mark = take(scanner, punctuator) ?? "";
  if (mark === "`") return scanTemplate(scanner);
  if (mark === "{") scanner.braces.push("block");
  if (mark === "}" && scanner.braces.pop() === "template") return scanTemplate(scanner);
  push("punctuator", mark);
}

/** From behind the opening backtick, or behind the brace that closes a `${`, to the next `${` or the end. */
function scanTemplate(scanner: Scanner): void {
  const line = scanner.line;
  const part = take(scanner, templatePart) ?? "";
  scanner.tokens.push({ kind: "template", text: part, line });
  if (part.endsWith("${")) scanner.braces.push("template");
}

function operandExpected(previous: Token | undefined): boolean {
  if (previous === undefined) return true;
  if (previous.kind === "word") return operatorWords.has(previous.text);
  if (previous.kind === "template") return previous.text.endsWith("${");
  return previous.kind === "punctuator" && ![")", "]", "}"].includes(previous.text);
}

function take(scanner: Scanner, pattern: RegExp): string | undefined {
  pattern.lastIndex = scanner.at;
  const found = pattern.exec(scanner.source)?.[0];
  if (found === undefined || found === "") return undefined;
  scanner.at += found.length;
  scanner.line += found.split("\n").length - 1;
  return found;
}
