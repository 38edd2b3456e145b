import * as z from "zod";
import { field, matches, type Rule } from "./field.ts";
import { durationBetween, integer, objectName } from "./scalars.ts";

// ev-node compares the key's name with what the service answers, which is the full one.
const KEY_ARN = "^arn:aws[-a-z]*:kms:[-a-z0-9]+:[0-9]{12}:key/[-a-zA-Z0-9]+$";
const PART = "[-_.:a-zA-Z0-9]+";
const KEY_VERSION = `^projects/${PART}/locations/${PART}/keyRings/${PART}/cryptoKeys/${PART}/cryptoKeyVersions/[0-9]+$`;

const requests = {
  timeout: durationBetween(
    "100ms",
    "1m",
    "How long one request to the service may take. Each block waits for one. ev-node's default is 10s.",
  ).exactOptional(),
  maxRetries: integer(
    0,
    100,
    "How often a request is repeated after a passing failure. ev-node's default is 3.",
  ).exactOptional(),
};

const awsKms = field(
  z.object({
    keyArn: field(
      z.string().min(1).max(256),
      "Full ARN of the key, which must be an Ed25519 key for signing. Cannot change.",
      {
        rules: [
          matches(
            KEY_ARN,
            "The key must be given by its full ARN, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab; ev-node takes neither an alias nor a bare id.",
          ),
        ],
      },
    ),
    ...requests,
  }),
  "Experimental: an AWS KMS key signs the blocks. Members get access by their service account, see spec.pod.serviceAccountAnnotations.",
);

const gcpKms = field(
  z.object({
    keyVersion: field(
      z.string().min(1).max(512),
      "Full name of the key's version, which must be of algorithm EC_SIGN_ED25519. Cannot change.",
      {
        rules: [
          matches(
            KEY_VERSION,
            "The key must be given with its version, as projects/…/locations/…/keyRings/…/cryptoKeys/…/cryptoKeyVersions/1.",
          ),
        ],
      },
    ),
    ...requests,
  }),
  "Experimental: a Google Cloud KMS key signs the blocks. Members get access by their service account, see spec.pod.serviceAccountAnnotations.",
);

interface Sources {
  secretName?: string | undefined;
  awsKms?: object | undefined;
  gcpKms?: object | undefined;
}

const oneSigner: Rule<Sources> = {
  cel: "[has(self.secretName), has(self.awsKms), has(self.gcpKms)].filter(x, x).size() <= 1",
  message: "A chain has one signer: give one of spec.signer.secretName, awsKms and gcpKms, or none.",
  holds: ({ secretName, awsKms: aws, gcpKms: gcp }) =>
    [secretName, aws, gcp].filter((source) => source !== undefined).length <= 1,
};

export const signer = field(
  z.object({
    secretName: objectName(
      "Secret with an existing signing key: either the entry signer.json with ev-node's encrypted key file and the entry passphrase with its passphrase, or the entry key with the private key in hex, as ev-node's keys export writes it; that is encrypted once and kept. Without any signer the operator generates a key once and keeps it. Cannot change.",
    ).exactOptional(),
    awsKms: awsKms.exactOptional(),
    gcpKms: gcpKms.exactOptional(),
  }),
  "The key that signs the blocks; all members share it. A key in a key management service is experimental: it was not tried with a real one.",
  { rules: [oneSigner] },
);
