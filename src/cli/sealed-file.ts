import { createCipheriv, createDecipheriv, scrypt } from "node:crypto";
import * as z from "zod";

/**
 * A text sealed with a passphrase: JSON with a header that says how, and the cipher text. The key comes from scrypt
 * (RFC 7914), the cipher is AES-256-GCM; the header is part of what the tag proves, so that nobody changes it unseen.
 */

const FORMAT = "evnode-identity-backup";
const VERSION = 1;
const KEY_LENGTH = 32;
const TAG_LENGTH = 16;
export const SALT_LENGTH = 16;
export const NONCE_LENGTH = 12;
/** 128 MiB of memory and about half a second for each guess. */
const COST = { N: 2 ** 17, r: 8, p: 1 } as const;
/** Room for the highest cost that a header may ask for. */
const MAX_MEMORY = 512 * 1024 * 1024;

const headerSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  kdf: z.strictObject({
    name: z.literal("scrypt"),
    N: z.union([2 ** 16, 2 ** 17, 2 ** 18].map((cost) => z.literal(cost))),
    r: z.literal(8),
    p: z.literal(1),
    salt: z.base64(),
  }),
  cipher: z.strictObject({ name: z.literal("aes-256-gcm"), nonce: z.base64() }),
  /** What may be known of the content without the passphrase. */
  about: z.record(z.string(), z.string()),
});

type Header = z.output<typeof headerSchema>;

export interface SealInput {
  readonly text: string;
  readonly passphrase: string;
  readonly about: Readonly<Record<string, string>>;
  /** Never to be used twice. */
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
}

/** The content of the file. */
export async function sealFile({ text, passphrase, about, salt, nonce }: SealInput): Promise<string> {
  if (salt.length !== SALT_LENGTH || nonce.length !== NONCE_LENGTH)
    throw new RangeError(`a sealed file needs ${SALT_LENGTH} bytes of salt and ${NONCE_LENGTH} of nonce`);
  const header: Header = {
    format: FORMAT,
    version: VERSION,
    kdf: { name: "scrypt", ...COST, salt: Buffer.from(salt).toString("base64") },
    cipher: { name: "aes-256-gcm", nonce: Buffer.from(nonce).toString("base64") },
    about: { ...about },
  };
  const key = await keyFor(passphrase, header);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_LENGTH });
  cipher.setAAD(proven(header));
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `${JSON.stringify({ ...header, sealed: sealed.toString("base64") }, null, 2)}\n`;
}

export type Opened =
  | { readonly kind: "opened"; readonly text: string; readonly about: Readonly<Record<string, string>> }
  | { readonly kind: "wrongPassphrase"; readonly problem: string }
  | { readonly kind: "malformed"; readonly problem: string };

export async function openFile(file: string, passphrase: string): Promise<Opened> {
  const read = headerOf(file);
  if (read.kind === "malformed") return read;
  const { header, sealed } = read;
  const nonce = Buffer.from(header.cipher.nonce, "base64");
  const key = await keyFor(passphrase, header);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_LENGTH });
  decipher.setAAD(proven(header));
  decipher.setAuthTag(sealed.subarray(-TAG_LENGTH));
  try {
    const text = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_LENGTH)), decipher.final()]).toString(
      "utf8",
    );
    return { kind: "opened", text, about: header.about };
  } catch {
    // The tag does not fit: the key, and so the passphrase, is wrong, or the file was changed.
    return { kind: "wrongPassphrase", problem: "it cannot be opened with this passphrase, or was altered" };
  }
}

type Read =
  | { readonly kind: "read"; readonly header: Header; readonly sealed: Buffer }
  | Extract<Opened, { kind: "malformed" }>;

function headerOf(file: string): Read {
  const malformed = (problem: string) => ({ kind: "malformed", problem }) as const;
  let json: unknown;
  try {
    json = JSON.parse(file);
  } catch {
    return malformed("it is no backup of an identity: it is not JSON");
  }
  const written = z.looseObject({ format: z.literal(FORMAT), version: z.int() }).safeParse(json);
  if (!written.success) return malformed(`it is no backup of an identity: expected the format "${FORMAT}"`);
  if (written.data.version !== VERSION)
    return malformed(`it is of version ${written.data.version}, expected ${VERSION}: take a newer plugin`);
  const parsed = headerSchema.extend({ sealed: z.base64() }).safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return malformed(`its header cannot be read: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  const { sealed: text, ...header } = parsed.data;
  const sealed = Buffer.from(text, "base64");
  const isWhole =
    sealed.length >= TAG_LENGTH &&
    Buffer.from(header.cipher.nonce, "base64").length === NONCE_LENGTH &&
    Buffer.from(header.kdf.salt, "base64").length === SALT_LENGTH;
  return isWhole ? { kind: "read", header, sealed } : malformed("a part of it is missing");
}

/** The header in one order of its fields, whatever a file has. */
function proven({ format, version, kdf, cipher, about }: Header): Buffer {
  const { name, N, r, p, salt } = kdf;
  const facts = Object.entries(about).sort(([one], [other]) => (one < other ? -1 : 1));
  return Buffer.from(
    JSON.stringify([format, version, name, N, r, p, salt, cipher.name, cipher.nonce, facts]),
  );
}

function keyFor(passphrase: string, { kdf: { N, r, p, salt } }: Header): Promise<Buffer> {
  const options = { N, r, p, maxmem: MAX_MEMORY };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize("NFC"), Buffer.from(salt, "base64"), KEY_LENGTH, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
