import crypto, { createCipheriv, createDecipheriv } from "node:crypto";
import * as z from "zod";
import { base64Bytes } from "./base64.ts";
import { isPrivateKeyOf, proposerAddressOf, publicKeyOf } from "./keys.ts";
import { parseJson } from "./parsed.ts";

const keyLength = 32;
const tagLength = 16;
const saltLength = 16;
const nonceLength = 12;
const privateKeyLength = 64;

/** A signer's public side, in base64. */
interface SignerIdentity {
  readonly publicKey: string;
  readonly proposerAddress: string;
}

export type SignerImport =
  | { readonly kind: "imported"; readonly signer: SignerIdentity }
  | { readonly kind: "wrongPassphrase"; readonly problem: string }
  | { readonly kind: "malformed"; readonly problem: string };

const signerSchema = z.object({
  priv_key_encrypted: base64Bytes(privateKeyLength + tagLength),
  nonce: base64Bytes(nonceLength),
  pub_key: base64Bytes(keyLength),
  // A file without salt comes from an early version, with another key derivation.
  salt: base64Bytes(saltLength).optional(),
});

/**
 * The text of signer.json, proven to open to the same key. Salt and nonce must never be used twice. That the passphrase
 * gives the sealing key once more is not proven here: it takes an eighth of a second and 32 MiB, and every agent does
 * it before its member starts.
 */
export async function sealSigner(input: {
  readonly seed: Uint8Array;
  readonly passphrase: string;
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
}): Promise<string> {
  const { seed, salt, nonce } = input;
  const passphrase = trimPassphrase(input.passphrase);
  if (passphrase === "") throw new RangeError("a signer needs a passphrase: ev-node refuses an empty one");
  if (salt.length !== saltLength || nonce.length !== nonceLength) {
    throw new RangeError(`a signer needs ${saltLength} bytes of salt and ${nonceLength} of nonce`);
  }

  const publicKey = publicKeyOf(seed);
  const key = await deriveKey(passphrase, salt);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagLength });
  const sealed = Buffer.concat([
    cipher.update(seed),
    cipher.update(publicKey),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  const signerJson = JSON.stringify({
    priv_key_encrypted: sealed.toString("base64"),
    nonce: Buffer.from(nonce).toString("base64"),
    pub_key: publicKey.toString("base64"),
    salt: Buffer.from(salt).toString("base64"),
  });
  const file = parseSigner(signerJson);
  const opened = file.kind === "malformed" ? file : openWith(key, file.value);
  if (opened.kind !== "imported")
    throw new Error(`a signer does not open once it is sealed: ${opened.problem}`);
  return signerJson;
}

/** Opens a signer.json as ev-node would at its start, and gives only its public side. */
export async function importSigner(input: {
  readonly signerJson: string;
  readonly passphrase: string;
}): Promise<SignerImport> {
  const file = parseSigner(input.signerJson);
  if (file.kind === "malformed") return file;

  const { salt } = file.value;
  const passphrase = trimPassphrase(input.passphrase);
  if (passphrase === "") return { kind: "wrongPassphrase", problem: "the signer's passphrase is empty" };

  const key = salt === undefined ? deriveLegacyKey(passphrase) : await deriveKey(passphrase, salt);
  return openWith(key, file.value);
}

const parseSigner = (text: string) => parseJson(signerSchema, text, "signer.json");

function openWith(key: Buffer, file: z.infer<typeof signerSchema>): SignerImport {
  const { priv_key_encrypted: sealed, nonce, pub_key: publicKey } = file;
  const privateKey = open(key, nonce, sealed);
  if (privateKey === undefined) {
    return {
      kind: "wrongPassphrase",
      problem: "signer.json cannot be opened with this passphrase, or was altered",
    };
  }
  if (!isPrivateKeyOf(privateKey, publicKey)) {
    return {
      kind: "malformed",
      problem: "signer.json: pub_key is not the public key of the sealed private key",
    };
  }
  return {
    kind: "imported",
    signer: { publicKey: publicKey.toString("base64"), proposerAddress: proposerAddressOf(publicKey) },
  };
}

/** The passphrase that ev-node reads from a file with this content: without the white space that Go trims. */
export function trimPassphrase(fileContent: string): string {
  const space = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
  return fileContent.replace(new RegExp(`^${space}+`, "u"), "").replace(new RegExp(`${space}+$`, "u"), "");
}

function deriveKey(passphrase: string, salt: Uint8Array): Promise<Buffer> {
  const parameters = {
    message: Buffer.from(passphrase, "utf8"),
    nonce: salt,
    parallelism: 4,
    tagLength: keyLength,
    memory: 32 * 1_024,
    passes: 3,
  };
  return new Promise((resolve, reject) => {
    // A name that a Node.js lacks ends a program before it can say that it wants a newer one; a member does not.
    crypto.argon2("argon2id", parameters, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

// Repeats the passphrase, each further byte mixed with its position.
function deriveLegacyKey(passphrase: string): Buffer {
  const bytes = Buffer.from(passphrase, "utf8");
  const key = Array.from({ length: keyLength }, (_, position) => {
    const byte = bytes[position % bytes.length] ?? 0;
    return position < bytes.length ? byte : byte ^ position;
  });
  return Buffer.from(key);
}

function open(key: Buffer, nonce: Buffer, sealed: Buffer): Buffer | undefined {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagLength });
  decipher.setAuthTag(sealed.subarray(-tagLength));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -tagLength)), decipher.final()]);
  } catch {
    // The tag does not fit: the key, and so the passphrase, is wrong or the file was changed.
    return undefined;
  }
}
