import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import * as z from "zod";
import type { Secret } from "../../../src/model/objects.ts";

/** Something that nobody may read outside of Secrets, in every form in which it might be written. */
export interface Hidden {
  /** Where it is from: the only thing about it that may be told. */
  readonly from: string;
  readonly forms: readonly string[];
}

export interface Text {
  readonly name: string;
  readonly content: string;
}

/** Fewer characters may stand anywhere by chance. */
const SHORTEST = 12;

const sealed = z.object({ priv_key_encrypted: z.string(), nonce: z.string(), salt: z.string() });
const nodeKey = z.object({ priv_key: z.string() });

/** Every value of a Secret that is secret. Public keys, the genesis and ids of peers are not. */
export function hiddenIn({ metadata, data = {} }: Secret): readonly Hidden[] {
  return Object.entries(data).flatMap(([entry, encoded]) => {
    const from = `${metadata.namespace}/${metadata.name} ${entry}`;
    const text = Buffer.from(encoded, "base64").toString("utf8");
    return valuesOf(entry, text)
      .filter((value) => value.length >= SHORTEST)
      .map((value) => ({ from, forms: formsOf(value) }));
  });
}

function valuesOf(entry: string, text: string): readonly string[] {
  if (entry === "passphrase" || entry === "token") return [text.trim()];
  if (entry === "signer.json") {
    const read = sealed.safeParse(jsonOf(text));
    // What cannot be read is kept whole: an error message may quote it.
    return read.success ? Object.values(read.data) : [text.trim()];
  }
  if (/^node_key\.\d+\.json$/.test(entry)) {
    const { priv_key } = nodeKey.parse(jsonOf(text));
    // The first half alone is the whole secret; the second is the public key.
    return [priv_key, Buffer.from(priv_key, "base64").subarray(0, 32).toString("base64")];
  }
  return [];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** As it is; as Secrets carry it; as a URL, JSON or a dump of bytes would show it. */
function formsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value, "base64");
  const isBase64 = bytes.toString("base64") === value;
  const forms = [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    ...encodedForms(Buffer.from(value)),
    ...(isBase64 ? [bytes.toString("hex"), bytes.toString("base64url"), [...bytes].join(" ")] : []),
  ];
  return [...new Set(forms)];
}

/** The padding, and what goes before it, depends on what follows. */
function encodedForms(bytes: Buffer): readonly string[] {
  const whole = bytes.subarray(0, bytes.length - (bytes.length % 3));
  return [whole.toString("base64"), bytes.toString("hex")];
}

/** `<text>: <where the value is from>` for everything that was told; never the value itself. */
export function leaks(texts: readonly Text[], hidden: readonly Hidden[]): readonly string[] {
  return texts.flatMap(({ name, content }) =>
    hidden.flatMap(({ from, forms }) =>
      forms.some((form) => content.includes(form)) ? [`${name}: ${from}`] : [],
    ),
  );
}

export async function textsIn(folder: string): Promise<readonly Text[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(
    files.map(async (file) => ({ name: relative(folder, file), content: await readFile(file, "utf8") })),
  );
}

/** The Secrets of every world of the run so far, as they were kept beside its texts. */
export async function secretsIn(folder: string): Promise<readonly Secret[]> {
  const files = await textsIn(folder);
  return files.flatMap(({ content }) => JSON.parse(content) as Secret[]);
}
