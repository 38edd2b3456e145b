import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../runtime/clock.ts";
import { type ServingCertificate, selfSignedCertificate } from "./self-signed-certificate.ts";

/** The certificate to serve with. Asked again from time to time: files of a Secret change when it is renewed. */
export type CertificateSource = () => Promise<ServingCertificate>;

const NAME = "evnode-operator-metrics";

/** The files in the folder, or without one a certificate of our own, made once. */
export function certificateSource(folder: string | undefined, clock: Clock): CertificateSource {
  if (folder !== undefined) return () => mounted(folder);
  const made = selfSignedCertificate(NAME, clock.nowMs());
  return async () => made;
}

async function mounted(folder: string): Promise<ServingCertificate> {
  const [cert, key] = await Promise.all(["tls.crt", "tls.key"].map((name) => contentOf(join(folder, name))));
  return { cert: cert ?? "", key: key ?? "" };
}

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "it cannot be read";
    throw new Error(
      `the certificate for metrics cannot be used: ${path}: ${code}. Expected are tls.crt and tls.key, as in a Secret of type kubernetes.io/tls; look at the Secret that is mounted there`,
      { cause: error },
    );
  }
}
