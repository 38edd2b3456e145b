import * as z from "zod";
import { resource } from "./resource.ts";
import { field, present, type Rule } from "./schema/field.ts";
import { spec } from "./schema/spec.ts";
import { status } from "./schema/status.ts";

/** 40 characters leave room for the longest label that Kubernetes derives from the name. */
const MAX_NAME_LENGTH = 40;
const NAME = "^[a-z]([-a-z0-9]*[a-z0-9])?$";

interface Named {
  metadata: { name: string };
}

interface WithSecrets extends Named {
  spec: {
    chain: { genesis?: { secret?: { name: string } | undefined } | undefined };
    signer?: { secretName?: string | undefined } | undefined;
    da: { authTokenSecret?: { name: string } | undefined };
  };
}

const nameIsLabel: Rule<Named> = {
  cel: `size(self.metadata.name) <= ${MAX_NAME_LENGTH} && self.metadata.name.matches('${NAME}')`,
  message: `metadata.name must be at most ${MAX_NAME_LENGTH} lower-case letters, digits and hyphens, begin with a letter and end with a letter or digit: Services and pods are named after it.`,
  at: ["metadata", "name"],
  holds: ({ metadata: { name } }) => name.length <= MAX_NAME_LENGTH && new RegExp(NAME).test(name),
};

const ownSecrets = ["identity", "config"] as const;
const givenSecrets = ["signer.secretName", "chain.genesis.secret.name", "da.authTokenSecret.name"] as const;

const isOwnSecret = (path: string): string => {
  const own = ownSecrets.map((suffix) => `self.metadata.name + '-${suffix}'`).join(", ");
  return `(${present("self", ["spec", ...path.split(".")])} && self.spec.${path} in [${own}])`;
};

// The operator makes these two Secrets; it could neither read its own product as input nor overwrite the user's.
const secretsAreForeign: Rule<WithSecrets> = {
  cel: `!(${givenSecrets.map(isOwnSecret).join(" || ")})`,
  message:
    "The Secrets that the spec refers to must not be named <name>-identity or <name>-config; the operator makes those itself.",
  at: ["spec"],
  holds: ({ metadata: { name }, spec: { signer, chain, da } }) => {
    const given = [signer?.secretName, chain.genesis?.secret?.name, da.authTokenSecret?.name];
    return !ownSecrets.some((suffix) => given.includes(`${name}-${suffix}`));
  },
};

/** An EvNodeCluster as users write it: the single source of the types, the CRD and the reference. */
export const clusterSchema = field(
  z.object({
    apiVersion: z.literal(`${resource.group}/${resource.version}`),
    kind: z.literal(resource.kind),
    metadata: z.looseObject({ name: z.string().min(1) }),
    spec,
    status: status.optional(),
  }),
  "A cluster of ev-node sequencers that elect their leader by Raft.",
  { rules: [nameIsLabel, secretsAreForeign] },
);
