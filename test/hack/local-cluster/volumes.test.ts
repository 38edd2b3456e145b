import { describe, expect, it } from "vitest";
import { type Claim, decideVolumes, renderVolume, type Volume } from "../../../hack/local-cluster/volumes.ts";

function claim(
  change: {
    spec?: Partial<Claim["spec"]>;
    metadata?: Partial<Claim["metadata"]>;
    status?: Claim["status"];
  } = {},
): Claim {
  return {
    metadata: {
      name: "data-ev-0",
      namespace: "demo",
      uid: "u1",
      annotations: { "volume.kubernetes.io/selected-node": "node-0" },
      ...change.metadata,
    },
    spec: {
      storageClassName: "local",
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      ...change.spec,
    },
    ...(change.status && { status: change.status }),
  };
}

function volume(
  change: { phase?: string; reclaim?: string; storage?: string; provisioner?: string } = {},
): Volume {
  const { phase = "Bound", reclaim = "Delete", storage = "1Gi", provisioner = "evnode.dev/local" } = change;
  return {
    metadata: { name: "pvc-u1", annotations: { "pv.kubernetes.io/provisioned-by": provisioner } },
    spec: { persistentVolumeReclaimPolicy: reclaim, capacity: { storage } },
    status: { phase },
  };
}

const bound = (storage: string) => ({ phase: "Bound", capacity: { storage } });

describe("decideVolumes", () => {
  it("makes a volume for a claim whose pod has been scheduled to the node", () => {
    const waiting = claim();
    expect(decideVolumes([waiting], [])).toEqual([{ kind: "create", claim: waiting, name: "pvc-u1" }]);
  });

  it.each([
    ["no pod uses it yet", claim({ metadata: { annotations: {} } }), []],
    [
      "its pod was scheduled elsewhere",
      claim({ metadata: { annotations: { "volume.kubernetes.io/selected-node": "node-1" } } }),
      [],
    ],
    ["it is of another class", claim({ spec: { storageClassName: "fast" } }), []],
    ["it names a volume", claim({ spec: { volumeName: "pv0" } }), []],
    ["it is being deleted", claim({ metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }), []],
    ["its volume exists", claim(), [volume({ phase: "Available" })]],
  ])("makes none for a claim if %s", (_, one, volumes) => {
    expect(decideVolumes([one], volumes)).toEqual([]);
  });

  it("removes a released volume", () => {
    expect(decideVolumes([], [volume({ phase: "Released" })])).toEqual([{ kind: "remove", name: "pvc-u1" }]);
  });

  it.each([
    ["is retained", volume({ phase: "Released", reclaim: "Retain" })],
    ["is still bound", volume({ phase: "Bound" })],
    ["was made by somebody else", volume({ phase: "Released", provisioner: "other" })],
  ])("does not remove a volume that %s", (_, one) => {
    expect(decideVolumes([], [one])).toEqual([]);
  });

  it("grants a larger request, also when only the volume was told", () => {
    const grown = claim({ spec: { resources: { requests: { storage: "2Gi" } } }, status: bound("1Gi") });
    const action = { kind: "grow", claim: grown, name: "pvc-u1", storage: "2Gi" };
    expect(decideVolumes([grown], [volume()])).toEqual([action]);
    expect(decideVolumes([grown], [volume({ storage: "2Gi" })])).toEqual([action]);
  });

  it("has nothing to do for a bound claim of the right size", () => {
    expect(
      decideVolumes([claim({ spec: { volumeName: "pvc-u1" }, status: bound("1Gi") })], [volume()]),
    ).toEqual([]);
  });
});

describe("renderVolume", () => {
  it("binds to this very claim and stays on the node", () => {
    expect(renderVolume(claim(), "pvc-u1")).toMatchObject({
      metadata: { name: "pvc-u1", annotations: { "pv.kubernetes.io/provisioned-by": "evnode.dev/local" } },
      spec: {
        claimRef: { namespace: "demo", name: "data-ev-0", uid: "u1" },
        local: { path: "/var/lib/evnode-local-cluster/volumes/pvc-u1" },
        capacity: { storage: "1Gi" },
        persistentVolumeReclaimPolicy: "Delete",
      },
    });
  });
});
