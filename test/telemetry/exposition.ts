/** One line of Prometheus' text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
}

export interface Exposition {
  readonly families: readonly Family[];
  readonly samples: readonly Sample[];
}

const help = /^# HELP (\S+) (.+)$/;
const type = /^# TYPE (\S+) (counter|gauge|histogram)$/;
const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?[\d.e+-]+|[+-]?Inf|NaN)$/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\n"])*)"(?:,|$)/gy;

/** Reads a page in the text format, version 0.0.4, and takes no line that is not of it. */
export function readExposition(text: string): Exposition {
  if (!text.endsWith("\n")) throw new Error("the page does not end with a line feed");
  const families: Family[] = [];
  const samples: Sample[] = [];
  const helps = new Map<string, string>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, helped, words = ""] = help.exec(line) ?? [];
    const [, typed, kind = ""] = type.exec(line) ?? [];
    const [, name, labels = "", value] = sample.exec(line) ?? [];
    if (helped !== undefined) helps.set(helped, words);
    else if (typed !== undefined) families.push({ name: typed, help: helps.get(typed) ?? "", type: kind });
    else if (name !== undefined) samples.push({ name, labels: labelsIn(labels), value: Number(value) });
    else throw new Error(`no line of the format: ${line}`);
  }
  return { families, samples };
}

function labelsIn(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  let at = 0;
  for (const match of text.matchAll(label)) {
    const [whole, name = "", value = ""] = match;
    if (name in found) throw new Error(`the label ${name} twice: ${text}`);
    found[name] = value;
    at = match.index + whole.length;
  }
  if (at !== text.length) throw new Error(`no labels: ${text}`);
  return found;
}

/** The samples of one name. */
export const samplesOf = ({ samples }: Exposition, name: string) =>
  samples.filter((one) => one.name === name).map(({ labels, value }) => [labels, value] as const);
