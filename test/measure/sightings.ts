import type { Recorded } from "../../hack/measure/recorded-watch.ts";
import type { Sample } from "../../hack/measure/rollout-probe.ts";
import { annotations } from "../../src/model/annotations.ts";
import type { Pod } from "../../src/model/objects.ts";

/** What a campaign sees of members, as tests make it. All moments count from here. */
export const T0 = Date.UTC(2026, 10, 26, 8);

interface PodTraits {
  readonly ready?: boolean;
  readonly uid?: string;
  readonly image?: string;
  readonly configRevision?: string;
  /** The note of the operator, as it stands on the pod. */
  readonly update?: string;
  readonly isEnding?: boolean;
}

/** A pod whose ev-node runs in this container, as a watch tells of it. */
export function podAt(atMs: number, name: string, container: string, traits: PodTraits = {}): Recorded<Pod> {
  const {
    ready = true,
    uid = `uid of ${name}`,
    image = "image",
    configRevision = "one",
    isEnding,
    update,
  } = traits;
  const startedAt = new Date(T0 + Math.floor(atMs / 1_000) * 1_000).toISOString();
  const object: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      uid,
      annotations: {
        [annotations.configRevision]: configRevision,
        ...(update === undefined ? {} : { [annotations.update]: update }),
      },
      ...(isEnding === true ? { deletionTimestamp: startedAt } : {}),
    },
    spec: { containers: [{ name: "evnode", image }] },
    status: {
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      containerStatuses: [
        {
          name: "evnode",
          image,
          imageID: "",
          ready,
          restartCount: 0,
          containerID: container,
          state: { running: { startedAt } },
        },
      ],
    },
  };
  return { type: "MODIFIED", object, atMs: T0 + atMs };
}

export const answer = (atMs: number, height: number, leads = false): Sample => ({
  atMs: T0 + atMs,
  height,
  leads,
});

export const silence = (atMs: number): Sample => ({ atMs: T0 + atMs, height: undefined, leads: undefined });
