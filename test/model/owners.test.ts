import { describe, expect, test } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import { strangersFields } from "../../src/model/field-owners.ts";
import { parseMembership, renderMembership } from "../../src/model/identity.ts";
import type { KubeObject, ManagedFields } from "../../src/model/kube-object.ts";
import { isMadeFor } from "../../src/model/made-for.ts";

const object = (kind: string, metadata: Partial<KubeObject["metadata"]>): KubeObject => ({
  apiVersion: "v1",
  kind,
  metadata: { name: "seq", ...metadata },
});

describe("managed fields that are kept", () => {
  const ours = { manager: "evnode-operator", operation: "Update" };
  const theirs = { manager: "kubectl-edit", operation: "Update" };
  const status = { manager: "kube-controller-manager", subresource: "status" };
  const scale = { manager: "kubectl", subresource: "scale" };

  test.each<[string, string, readonly ManagedFields[], readonly ManagedFields[] | undefined]>([
    ["none but ours", "Service", [ours], undefined],
    ["what somebody edited", "Service", [ours, theirs], [theirs]],
    ["what a controller reports is nobody's edit", "StatefulSet", [status], undefined],
    ["what somebody scaled is", "StatefulSet", [scale], [scale]],
    ["nothing of kinds that are not written as a whole", "Pod", [theirs], undefined],
  ])("%s", (_, kind, managedFields, kept) => {
    const slim = strangersFields(object(kind, { managedFields, labels: { a: "b" } }));
    expect(slim.metadata.managedFields).toEqual(kept);
    expect(slim.metadata.labels).toEqual({ a: "b" });
    expect("managedFields" in slim.metadata).toBe(kept !== undefined);
  });
});

describe("an object that was made for a cluster", () => {
  const owner = (uid: string) => [
    { apiVersion: "evnode.dev/v1alpha1", kind: "EvNodeCluster", name: "seq", uid },
  ];

  test.each<[string, Partial<KubeObject["metadata"]>, boolean]>([
    ["says so in its annotation", { annotations: { [annotations.clusterUid]: "u" } }, true],
    ["or by its owner, when annotations were taken off", { ownerReferences: owner("u") }, true],
    ["of another life of that name is not", { ownerReferences: owner("v") }, false],
    ["is not told by its name", {}, false],
  ])("%s", (_, metadata, isOurs) => {
    expect(isMadeFor(object("Service", metadata), "u")).toBe(isOurs);
  });
});

describe("a membership in words", () => {
  test("is read back as it was written", () => {
    const membership = { replicas: 5, raftPort: 5001 };
    expect(renderMembership(membership)).toBe("5 members, raft port 5001");
    expect(parseMembership(renderMembership(membership))).toEqual(membership);
  });

  test.each([undefined, "", "5 members", "five members, raft port 5001", "5 members, raft port 5001 "])(
    "%j is none",
    (text) => {
      expect(parseMembership(text)).toBeUndefined();
    },
  );
});
