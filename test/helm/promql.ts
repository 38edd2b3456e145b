/** What a PromQL expression asks for: a metric, and the labels by which it is chosen. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Expression {
  readonly selectors: readonly Selector[];
  /** Labels by which series are grouped or joined. */
  readonly groupings: readonly string[];
}

const functions = new Set([
  "absent",
  "deriv",
  "histogram_quantile",
  "increase",
  "max",
  "rate",
  "sum",
  "time",
]);
const words = new Set(["and", "or", "unless"]);
const grouping = new Set(["by", "on"]);
const token = /\s+|"(?:[^"\\]|\\.)*"|[a-zA-Z_:$][\w:]*|\d+(?:\.\d+)?[a-z]*|[=!]~|[=!<>]=|./gy;

/**
 * Reads as much of PromQL as the chart uses, and refuses the rest: a function that is not known here may be one that
 * does not exist.
 */
export function readExpression(text: string): Expression {
  const tokens = [...text.matchAll(token)].map(([found]) => found).filter((found) => found.trim() !== "");
  const selectors: Selector[] = [];
  const groupings: string[] = [];
  checkBrackets(text, tokens);
  for (let at = 0; at < tokens.length; ) {
    const word = tokens[at] ?? "";
    const next = tokens[at + 1];
    if (grouping.has(word)) {
      const end = tokens.indexOf(")", at);
      groupings.push(...tokens.slice(at + 2, end).filter((one) => one !== ","));
      at = end + 1;
    } else if (word === "[") at = tokens.indexOf("]", at) + 1;
    else if (!/^[a-zA-Z_]/.test(word) || words.has(word)) at += 1;
    else if (functions.has(word)) at += 1;
    else if (next === "(") throw new Error(`a function that is not known: ${word}: ${text}`);
    else {
      const end = next === "{" ? tokens.indexOf("}", at) : at;
      selectors.push({ metric: word, matchers: matchersIn(tokens.slice(at + 2, end), text) });
      at = end + 1;
    }
  }
  return { selectors, groupings };
}

function matchersIn(tokens: readonly string[], text: string): readonly Matcher[] {
  const found: Matcher[] = [];
  for (let at = 0; at < tokens.length; at += 4) {
    const [label = "", operator = "", quoted = "", comma = ","] = tokens.slice(at, at + 4);
    if (!["=", "!=", "=~", "!~"].includes(operator) || !quoted.startsWith('"') || comma !== ",")
      throw new Error(`no matcher at ${label}${operator}${quoted}: ${text}`);
    found.push({ label, operator, value: quoted.slice(1, -1) });
  }
  return found;
}

const closes = new Map([
  [")", "("],
  ["]", "["],
  ["}", "{"],
]);

function checkBrackets(text: string, tokens: readonly string[]): void {
  const open: string[] = [];
  for (const one of tokens) {
    if ("([{".includes(one)) open.push(one);
    const partner = closes.get(one);
    if (partner !== undefined && open.pop() !== partner) throw new Error(`a bracket is missing: ${text}`);
  }
  if (open.length > 0) throw new Error(`a bracket is missing: ${text}`);
}
