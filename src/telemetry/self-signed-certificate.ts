import { createHash, generateKeyPairSync, sign } from "node:crypto";

export interface ServingCertificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;
const VALID_MS = 3_650 * DAY_MS;

/** Tags of DER (X.690) that a certificate needs. */
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;

const ecdsaWithSha256 = Buffer.from("06082a8648ce3d040302", "hex");
const commonName = Buffer.from("0603550403", "hex");
const subjectAltName = Buffer.from("0603551d11", "hex");

/**
 * A certificate that nobody vouches for, with a new key: it keeps tokens from those who listen, and proves nothing.
 * Node makes none itself. X.509 version 3, RFC 5280, with an ECDSA key on P-256.
 */
export function selfSignedCertificate(name: string, nowMs: number): ServingCertificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const algorithm = der(SEQUENCE, ecdsaWithSha256);
  const subject = der(SEQUENCE, der(SET, der(SEQUENCE, commonName, der(UTF8_STRING, Buffer.from(name)))));
  const altName = der(SEQUENCE, der(DNS_NAME, Buffer.from(name)));
  const toBeSigned = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, serialOf(spki)),
    algorithm,
    subject,
    // A clock that is a day behind takes it, too.
    der(SEQUENCE, utcTime(nowMs - DAY_MS), utcTime(nowMs + VALID_MS)),
    subject,
    spki,
    der(EXTENSIONS, der(SEQUENCE, der(SEQUENCE, subjectAltName, der(OCTET_STRING, altName)))),
  );
  const signature = der(
    BIT_STRING,
    Buffer.concat([Buffer.from([0]), sign("sha256", toBeSigned, privateKey)]),
  );
  return {
    cert: pem("CERTIFICATE", der(SEQUENCE, toBeSigned, algorithm, signature)),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** One element: tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), content]);
}

/** Another one for every key; positive, and without a leading zero. */
function serialOf(spki: Buffer): Buffer {
  const serial = createHash("sha256").update(spki).digest().subarray(0, 8);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/** `YYMMDDHHMMSSZ`, which is good until 2049. */
function utcTime(ms: number): Buffer {
  const text = new Date(ms).toISOString().replaceAll(/[-:T]/g, "").slice(2, 14);
  return der(UTC_TIME, Buffer.from(`${text}Z`));
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
