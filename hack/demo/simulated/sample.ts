import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { Spec } from "../../../src/api/evnodecluster.ts";
import type { EvNodeClusterObject } from "../../../src/model/objects.ts";

const example = join(import.meta.dirname, "../../../examples/minimal.yaml");
const schema = z.looseObject({
  metadata: z.object({ name: z.string() }),
  spec: z.looseObject({ image: z.string(), chain: z.looseObject({ id: z.string() }) }),
});

/** A change that a member does not come up with is taken back after half a minute, which is short for a real one. */
const rollout = { progressDeadlineSeconds: 30 };

/**
 * The smallest example, with what the simulated world asks for: its signer, because a new one is computed on threads
 * that know no simulated time, a block with every step, and a patience that nobody has to sit through.
 */
export function sample(namespace: string, signerSecret: string): EvNodeClusterObject {
  const { metadata, spec } = schema.parse(parse(readFileSync(example, "utf8")));
  const wanted = {
    ...spec,
    chain: { ...spec.chain, blockTime: "250ms" },
    signer: { secretName: signerSecret },
    rollout,
  } as unknown as Spec;
  return {
    apiVersion: "evnode.dev/v1alpha1",
    kind: "EvNodeCluster",
    metadata: { name: metadata.name, namespace },
    spec: wanted,
  };
}
