import * as z from "zod";
import { field, matches, type Rule } from "./field.ts";
import { durationBetween, keyReference, objectName } from "./scalars.ts";

const CHAIN_ID = "^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$";

// Whoever reads the spec would read the credentials as well, so a user name or password in the URL is refused.
const DA_ADDRESS = "^(https?|wss?)://([-.A-Za-z0-9_]+|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?(/[!-~]*)?$";

const oneGenesis: Rule<{ configMap?: object | undefined; secret?: object | undefined }> = {
  cel: "has(self.configMap) != has(self.secret)",
  message: "spec.chain.genesis must name exactly one source: a configMap or a secret.",
  holds: ({ configMap, secret }) => (configMap !== undefined) !== (secret !== undefined),
};

const genesis = field(
  z.object({
    configMap: keyReference(
      "ConfigMap",
      "The genesis is the value of this key of a ConfigMap.",
    ).exactOptional(),
    secret: keyReference("Secret", "The genesis is the value of this key of a Secret.").exactOptional(),
  }),
  "An existing genesis.json to begin the chain from. Without it the operator makes one for the signer of the cluster. Cannot change.",
  { rules: [oneGenesis] },
);

export const chain = field(
  z.object({
    id: field(
      z.string().min(1).max(50),
      "Chain id. It must equal the chain id of a genesis that is given. Cannot change.",
      {
        rules: [
          matches(
            CHAIN_ID,
            "A chain id consists of letters, digits, `-`, `_` and `.`, and begins and ends with a letter or digit.",
          ),
        ],
      },
    ),
    blockTime: durationBetween(
      "10ms",
      "1h",
      "Time from one block to the next, such as 1s or 500ms.",
    ).exactOptional(),
    genesis: genesis.exactOptional(),
  }),
  "The chain that the cluster sequences.",
);

export const signer = field(
  z.object({
    secretName: objectName(
      "Secret with an existing signing key: the key signer.json holds ev-node's encrypted key file, the key passphrase its passphrase. Without it the operator generates a key once and keeps it. Cannot change.",
    ).exactOptional(),
  }),
  "The key that signs the blocks; all members share it.",
);

export const da = field(
  z.object({
    address: field(
      z.string().min(1).max(1024),
      "URL of the data availability node, beginning with http://, https://, ws:// or wss://.",
      {
        rules: [
          matches(
            DA_ADDRESS,
            "The address must be a URL that begins with http://, https://, ws:// or wss://, names a host and holds neither spaces nor credentials; a token belongs into spec.da.authTokenSecret.",
          ),
        ],
      },
    ),
    namespace: field(
      z.string().min(1).max(128),
      "Namespace on the data availability layer; every node of the chain must use the same. Any text will do, ev-node hashes it. Without it the chain id is used.",
      {
        rules: [matches("^[!-~]+$", "A namespace consists of printable ASCII characters without spaces.")],
      },
    ).exactOptional(),
    authTokenSecret: keyReference(
      "Secret",
      "Where the access token of the data availability node is.",
    ).exactOptional(),
  }),
  "The data availability layer that blocks are submitted to.",
);
