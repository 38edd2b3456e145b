import { createCipheriv } from "node:crypto";
import { describe, expect, it } from "vitest";
import { publicKeyOf } from "../../src/evnode/keys.ts";
import { importSigner, sealSigner, trimPassphrase } from "../../src/evnode/signer.ts";
import { vector } from "./fixtures.ts";

const imported = {
  kind: "imported",
  signer: { publicKey: vector.publicKey, proposerAddress: vector.proposerAddress },
};
const file = JSON.parse(vector.signerJson) as Record<string, string>;

function altered(changes: Record<string, string | undefined>): string {
  return JSON.stringify({ ...file, ...changes });
}

describe("sealing a signer", () => {
  it("writes what ev-node writes", async () => {
    expect(await sealSigner(vector)).toBe(vector.signerJson);
  });

  it("uses the passphrase that ev-node reads from a file, without surrounding white space", async () => {
    expect(await sealSigner({ ...vector, passphrase: "\n correct horse\t\r\n" })).toBe(vector.signerJson);
  });

  it.each([
    ["an empty passphrase", { passphrase: " \n" }, "a signer needs a passphrase"],
    ["a short salt", { salt: Buffer.alloc(8) }, "16 bytes of salt"],
    ["a short nonce", { nonce: Buffer.alloc(8) }, "12 of nonce"],
    ["a short seed", { seed: Buffer.alloc(31) }, "a seed has 32 bytes"],
  ])("refuses %s", async (_, changes, message) => {
    await expect(sealSigner({ ...vector, ...changes })).rejects.toThrow(message);
  });
});

describe("importing a signer", () => {
  it("gives the public side of a file that ev-node wrote", async () => {
    expect(await importSigner({ signerJson: vector.signerJson, passphrase: "correct horse\n" })).toEqual(
      imported,
    );
  });

  it.each(["", "  \n", "wrong", "correct  horse"])("tells a wrong passphrase: %j", async (passphrase) => {
    expect(await importSigner({ signerJson: vector.signerJson, passphrase })).toMatchObject({
      kind: "wrongPassphrase",
    });
  });

  it.each([
    ["no JSON", "seed phrase", "signer.json is not valid JSON"],
    [
      "no key",
      altered({ priv_key_encrypted: undefined }),
      "signer.json: priv_key_encrypted: Invalid input: expected string, received undefined",
    ],
    [
      "a cut key",
      altered({ priv_key_encrypted: "AAAA" }),
      "signer.json: priv_key_encrypted: expected 80 bytes in base64",
    ],
    ["a cut nonce", altered({ nonce: "AAAA" }), "signer.json: nonce: expected 12 bytes in base64"],
    ["a cut salt", altered({ salt: "AAAA" }), "signer.json: salt: expected 16 bytes in base64"],
    [
      "another's public key",
      altered({ pub_key: publicKeyOf(Buffer.alloc(32)).toString("base64") }),
      "signer.json: pub_key is not the public key of the sealed private key",
    ],
  ])("tells a malformed file: %s", async (_, signerJson, problem) => {
    expect(await importSigner({ signerJson, passphrase: vector.passphrase })).toEqual({
      kind: "malformed",
      problem,
    });
  });

  it("never repeats what it was given", async () => {
    const answers = await Promise.all([
      importSigner({ signerJson: "top secret", passphrase: "hunter2" }),
      importSigner({ signerJson: vector.signerJson, passphrase: "hunter2" }),
      importSigner({ signerJson: altered({ nonce: "top secret" }), passphrase: "hunter2" }),
    ]);
    expect(JSON.stringify(answers)).not.toMatch(/top secret|hunter2/);
  });

  // The first versions of ev-node had no salt and stretched the passphrase by themselves.
  it.each([
    "short",
    "exactly thirty-two bytes long...",
    "longer than thirty-two bytes, of which only the first count",
  ])("opens a file without salt, sealed with %j", async (passphrase) => {
    const sealed = sealedWithoutSalt(passphrase);
    expect(await importSigner({ signerJson: sealed, passphrase })).toEqual(imported);
    expect(await importSigner({ signerJson: sealed, passphrase: `x${passphrase}` })).toMatchObject({
      kind: "wrongPassphrase",
    });
  });
});

describe("a passphrase from a file", () => {
  it.each([
    ["plain", "plain"],
    [" \t\n\v\f\r\u0085\u00a0in the middle\u2028\u3000", "in the middle"],
    ["\ufeffkept, as Go keeps it", "\ufeffkept, as Go keeps it"],
    ["\u200bkept too", "\u200bkept too"],
  ])("of %j is %j", (content, passphrase) => {
    expect(trimPassphrase(content)).toBe(passphrase);
  });
});

function sealedWithoutSalt(passphrase: string): string {
  const key = Buffer.alloc(32);
  for (let index = 0; index < 32; index += 1) {
    const byte = passphrase.codePointAt(index % passphrase.length) ?? 0;
    key[index] = index < passphrase.length ? byte : byte ^ index;
  }
  const cipher = createCipheriv("aes-256-gcm", key, vector.nonce);
  const privateKey = Buffer.concat([vector.seed, Buffer.from(vector.publicKey, "base64")]);
  const sealed = Buffer.concat([cipher.update(privateKey), cipher.final(), cipher.getAuthTag()]).toString(
    "base64",
  );
  return altered({ priv_key_encrypted: sealed, salt: undefined });
}
