import { readIfPresent } from "./disk.ts";

/** The pod's annotations as last written by kubelet; undefined while the file does not exist. */
export async function readPodAnnotations(path: string): Promise<ReadonlyMap<string, string> | undefined> {
  const content = await readIfPresent(path);
  return content === undefined ? undefined : parsePodAnnotations(content.toString("utf8"));
}

/** The same for one who reads them several times a second: a text is parsed once. */
export function newAnnotationsReader(path: string): () => Promise<ReadonlyMap<string, string> | undefined> {
  let last: { readonly content: Buffer; readonly parsed: ReadonlyMap<string, string> } | undefined;
  return async () => {
    const content = await readIfPresent(path);
    if (content === undefined) return undefined;
    if (last === undefined || !content.equals(last.content)) {
      last = { content, parsed: parsePodAnnotations(content.toString("utf8")) };
    }
    return last.parsed;
  };
}

/**
 * The downward API writes one `key="value"` a line, the value quoted as Go quotes strings. A line of another form is
 * left out: annotations that other programs put on the pod are none of the agent's business.
 */
export function parsePodAnnotations(text: string): ReadonlyMap<string, string> {
  const annotations = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^([^="]+)="((?:[^"\\]|\\.)*)"$/.exec(line);
    const [, key, quoted] = match ?? [];
    if (key === undefined || quoted === undefined) continue;
    const value = unquote(quoted);
    if (value !== undefined) annotations.set(key, value);
  }
  return annotations;
}

const simpleEscapes: Readonly<Record<string, number>> = {
  a: 0x07,
  b: 0x08,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  v: 0x0b,
  "\\": 0x5c,
  '"': 0x22,
};

/** What stands between the quotes of a Go string; undefined when an escape is none that Go writes. */
function unquote(quoted: string): string | undefined {
  const parts: Buffer[] = [];
  const tokens = /\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\U([0-9a-f]{8})|\\(.)|([^\\]+)/gsu;
  for (const [, byte, short, long, simple, plain] of quoted.matchAll(tokens)) {
    const part = unescape({ byte, point: short ?? long, simple, plain });
    if (part === undefined) return undefined;
    parts.push(part);
  }
  // Joined as bytes: \x stands for a byte that is no valid text by itself.
  return Buffer.concat(parts).toString("utf8");
}

type Token = Readonly<Record<"byte" | "point" | "simple" | "plain", string | undefined>>;

function unescape({ byte, point, simple, plain }: Token): Buffer | undefined {
  if (plain !== undefined) return Buffer.from(plain, "utf8");
  if (byte !== undefined) return Buffer.from(byte, "hex");
  if (point !== undefined) {
    const code = Number.parseInt(point, 16);
    return code <= 0x10_ff_ff ? Buffer.from(String.fromCodePoint(code), "utf8") : undefined;
  }
  const escape = simpleEscapes[simple ?? ""];
  return escape === undefined ? undefined : Buffer.from([escape]);
}
