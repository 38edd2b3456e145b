import type { Secret } from "./objects.ts";
import { entryText } from "./secret-text.ts";

/** A signing key as its owner gives it in a Secret. */
export type GivenSigner =
  /** ev-node's encrypted key file and what opens it. */
  | { readonly kind: "file"; readonly signerJson: string; readonly passphrase: string }
  /** The private key in hex. */
  | { readonly kind: "key"; readonly key: string };

/** What the Secret was expected to hold, completing "must hold". */
export const SIGNER_ENTRIES =
  "either the entries signer.json and passphrase, or the entry key with the private key in hex";

/** Undefined when it holds neither, or both: nobody knows which is meant. */
export function givenSigner(secret: Secret): GivenSigner | undefined {
  const [signerJson, passphrase, key] = ["signer.json", "passphrase", "key"].map((entry) =>
    entryText(secret, entry),
  );
  if (key) return signerJson === undefined && passphrase === undefined ? { kind: "key", key } : undefined;
  return signerJson && passphrase ? { kind: "file", signerJson, passphrase } : undefined;
}
