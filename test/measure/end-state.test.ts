import { describe, expect, it } from "vitest";
import { differences, endStateOf } from "../../hack/measure/end-state.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";

interface Life {
  readonly uid: string;
  readonly revision: string;
  readonly lock: string;
  readonly leader: number;
}

/** What one life of a cluster leaves, with all that differs between two lives. */
function objectsOf({ uid, revision, lock, leader }: Life): readonly KubeObject[] {
  const owners = [{ apiVersion: "evnode.dev/v1alpha1", kind: "EvNodeCluster", name: "seq", uid }];
  const pods = [0, 1].map((ordinal) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `seq-${ordinal}`,
      uid: `${uid}-${ordinal}`,
      resourceVersion: uid,
      labels: {
        "evnode.dev/role": ordinal === leader ? "leader" : "follower",
        "controller-revision-hash": revision,
      },
      annotations: { "evnode.dev/config-revision": revision, "cni.example.com/address": uid },
    },
  }));
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "seq", ownerReferences: owners, annotations: { "evnode.dev/cluster-uid": uid } },
    spec: { clusterIP: `10.0.0.${uid.length}`, ports: [{ port: 80 }] },
  };
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "seq-config" },
    data: { [`seq-0.${revision}.yaml`]: lock },
  };
  const chainLock = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `evnode-chain-${lock}` },
    data: { uid },
  };
  return [...pods, service, secret, chainLock];
}

const one = endStateOf(objectsOf({ uid: "a", revision: "0123456789", lock: "00ff", leader: 0 }));
const other = () => objectsOf({ uid: "bb", revision: "9876543210", lock: "ee11", leader: 1 });

describe("end states of two lives", () => {
  it("are equal when only uids, keys, addresses and the leader differ", () => {
    expect(differences(one, endStateOf(other()))).toEqual([]);
  });

  it("differ by an object too many and one that is missing", () => {
    const [pod, ...rest] = other();
    const stray = { apiVersion: "v1", kind: "Secret", metadata: { name: "stray" } };
    expect(pod?.metadata.name).toBe("seq-0");
    expect(differences(one, endStateOf([...rest, stray]))).toEqual([
      "Pod/seq-0 is missing",
      "Secret/stray is one too many",
    ]);
  });

  it("differ by a value that chance does not decide", () => {
    const changed = other().map((object) =>
      object.kind === "Service"
        ? { ...object, spec: { clusterIP: "10.0.0.7", ports: [{ port: 81 }] } }
        : object,
    );
    expect(differences(one, endStateOf(changed))).toEqual([
      'Service/seq differs: "port": 81 instead of "port": 80',
    ]);
  });

  it("differ by the generation: an object was changed once more", () => {
    const changed = other().map((object) => ({ ...object, metadata: { ...object.metadata, generation: 2 } }));
    expect(differences(one, endStateOf(changed))).toHaveLength(one.size);
  });

  it("leave out what is not of the cluster", () => {
    const strangers = [
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "kube-root-ca.crt" } },
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } },
      { apiVersion: "v1", kind: "Pod", metadata: { name: "local-da-5d8f" } },
    ];
    expect([...endStateOf(strangers)]).toEqual([]);
  });
});
