import type { CompleteSpec } from "../api/complete-spec.ts";
import type { KmsKey } from "../evnode/config.ts";

/** The key in a key management service that signs, if it is one. */
export function kmsKey({ signer }: CompleteSpec): KmsKey | undefined {
  if (signer.from === "Generated" || signer.from === "Secret") return undefined;
  const requests = { timeout: signer.timeout, max_retries: signer.maxRetries };
  if (signer.from === "GcpKms") return { provider: "gcp", gcp: { key_name: signer.keyVersion, ...requests } };
  const { keyArn } = signer;
  return { provider: "aws", aws: { key_id: keyArn, region: regionOf(keyArn), ...requests } };
}

/** `arn:partition:kms:region:account:key/id`. */
const regionOf = (arn: string) => arn.split(":")[3] ?? "";
