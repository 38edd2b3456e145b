import { createCipheriv } from "node:crypto";
import type { Spec } from "../../../src/api/evnodecluster.ts";
import { publicKeyOf, SEED_LENGTH } from "../../../src/evnode/keys.ts";
import { annotations } from "../../../src/model/annotations.ts";
import type { ConfigMap, EvNodeClusterObject, Secret } from "../../../src/model/objects.ts";
import { cluster, evm } from "../../builders.ts";
import { without } from "../without.ts";

/** The cluster that is tried. */
export const MAIN = { namespace: "rollup", name: "seq" };
/** Another one with the same chain and signer, which must never run beside it. */
export const TWIN = { namespace: "other", name: "twin" };

const SIGNER_SECRET = "keys";
const PASSPHRASE = "a passphrase that everybody may know";

/**
 * A signer in ev-node's first format. Its key takes no time to derive: the other one is computed on threads of the
 * machine, whose time is not the simulated one.
 */
export function signerSecret(namespace: string): Secret {
  const seed = Buffer.alloc(SEED_LENGTH, 7);
  const publicKey = publicKeyOf(seed);
  const nonce = Buffer.alloc(12, 3);
  const phrase = Buffer.from(PASSPHRASE, "utf8");
  const cipher = createCipheriv("aes-256-gcm", phrase.subarray(0, 32), nonce, { authTagLength: 16 });
  const sealed = Buffer.concat([
    cipher.update(seed),
    cipher.update(publicKey),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  const signer = {
    priv_key_encrypted: sealed.toString("base64"),
    nonce: nonce.toString("base64"),
    pub_key: publicKey.toString("base64"),
  };
  const data = {
    "signer.json": Buffer.from(JSON.stringify(signer)).toString("base64"),
    passphrase: phrase.toString("base64"),
  };
  const metadata = { namespace, name: SIGNER_SECRET };
  return { apiVersion: "v1", kind: "Secret", metadata, data };
}

/** What every pod of an EVM chain mounts. */
export function executionGenesis(namespace: string): ConfigMap {
  const { name, key } = evm.execution.genesisConfigMap;
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name }, data: { [key]: "{}" } };
}

/** What owners differ in. */
export interface Taste {
  readonly hasBudget: boolean;
  readonly progressDeadlineSeconds: number;
  /** Wants to be asked before a member is rebuilt. */
  readonly asks: boolean;
  /** Whether the chain is one with an execution client beside each ev-node. */
  readonly isEvm: boolean;
  readonly replicas: Replicas;
}

export type Replicas = NonNullable<Spec["replicas"]>;
export const REPLICAS = 3;

export const usualTaste: Taste = {
  hasBudget: true,
  progressDeadlineSeconds: 300,
  asks: false,
  isEvm: false,
  replicas: REPLICAS,
};

export function wantedCluster(ref: typeof MAIN, taste: Taste): EvNodeClusterObject {
  const { hasBudget, progressDeadlineSeconds, asks, isEvm, replicas } = taste;
  const { metadata: _, ...wanted } = cluster({
    spec: {
      signer: { secretName: SIGNER_SECRET },
      readiness: { maxBlocksBehind: MAX_BLOCKS_BEHIND },
      rollout: { progressDeadlineSeconds },
      ...(asks ? { repair: { mode: "Approve" } } : {}),
      ...(hasBudget ? {} : { disruptionBudget: { enabled: false } }),
      ...(isEvm ? evm : {}),
      ...(replicas === REPLICAS ? {} : { replicas }),
    },
  });
  return { ...without(wanted, ["status"]), metadata: ref };
}

export const approvalOf = ({ metadata }: EvNodeClusterObject): string | undefined =>
  metadata.annotations?.[annotations.approveRejoin];

/** A block comes with every step of the simulation, so a member that is away for five seconds is behind. */
export const MAX_BLOCKS_BEHIND = 20;
