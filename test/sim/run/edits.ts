import type { Spec } from "../../../src/api/evnodecluster.ts";
import type { MergePatch } from "../../../src/kube/api.ts";
import type { Chance } from "../chance.ts";
import { fateOf } from "../node/images.ts";

const REPOSITORY = "example.org/testapp";
const badTags = ["missing", "foreign", "crashing", "lagging"];
const POOL = "example.org/pool";

/** What an owner may change in the spec of a cluster that runs; a bad one brings no member up. */
export interface Edit {
  readonly name: string;
  readonly spec: MergePatch;
}

/** An edit for every way in which a change reaches the members. */
export function goodEdit(chance: Chance): Edit {
  const edits: readonly Edit[] = [
    { name: "the image", spec: image(chance) },
    { name: "the image", spec: image(chance) },
    { name: "the log level", spec: logLevel(chance) },
    { name: "the block time", spec: { chain: { blockTime: chance.pick(["1s", "500ms", "2s"]) } } },
    { name: "the image and the log level", spec: { ...image(chance), ...logLevel(chance) } },
    { name: "a pod annotation", spec: { pod: { annotations: { "example.org/note": note(chance) } } } },
    { name: "the period of grace", spec: { pod: { terminationGracePeriodSeconds: chance.between(40, 45) } } },
    {
      name: "the node selector",
      spec: { pod: { nodeSelector: chance.pick([null, { [POOL]: "sequencers" }]) } },
    },
  ];
  return chance.pick(edits) ?? { name: "nothing", spec: {} };
}

export function badEdit(chance: Chance): Edit {
  if (chance.is(0.2))
    return { name: "the node selector, to no node", spec: { pod: { nodeSelector: { [POOL]: "nowhere" } } } };
  const tag = chance.pick(badTags) ?? "missing";
  return {
    name: `the image, to a ${tag} one`,
    spec: { image: `${REPOSITORY}:${tag}-${chance.between(1, 2)}` },
  };
}

/** What makes a spec good again; undefined when it is good. */
export function correction(spec: Spec, chance: Chance): Edit | undefined {
  const isBadImage = fateOf(spec.image) !== "good";
  const isNowhere = spec.pod?.nodeSelector?.[POOL] === "nowhere";
  if (!isBadImage && !isNowhere) return undefined;
  return {
    name: "what was wrong",
    spec: { ...(isBadImage && image(chance)), ...(isNowhere && { pod: { nodeSelector: null } }) },
  };
}

const image = (chance: Chance) => ({ image: `${REPOSITORY}:${chance.between(1, 4)}` });
const logLevel = (chance: Chance) => ({ log: { level: chance.pick(["debug", "info", "warn"]) } });
const note = (chance: Chance) => `${chance.between(1, 3)}`;
