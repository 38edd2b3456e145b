import { expect, test } from "vitest";
import * as names from "../../src/model/names.ts";

test("a cluster that is gone is forgotten under every one of its names", () => {
  expect(names.objectNames("seq")).toEqual([
    "seq-identity",
    "seq-config",
    "seq",
    "seq-leader",
    "seq-rpc",
    "seq-member",
    ...[0, 1, 2, 3, 4, 5, 6].flatMap((ordinal) => [
      `seq-${ordinal}`,
      `data-seq-${ordinal}`,
      `execution-seq-${ordinal}`,
    ]),
  ]);
});

test("names of a cluster's objects never change: they outlive every version of the operator", () => {
  expect({
    identity: names.identitySecretName("seq"),
    config: names.configSecretName("seq"),
    headless: names.headlessServiceName("seq"),
    leader: names.leaderServiceName("seq"),
    rpc: names.rpcServiceName("seq"),
    statefulSet: names.statefulSetName("seq"),
    serviceAccount: names.serviceAccountName("seq"),
    budget: names.disruptionBudgetName("seq"),
    policy: names.networkPolicyName("seq"),
    member: names.memberName("seq", 2),
    claim: names.claimName("seq", 2),
    executionClaim: names.executionClaimName("seq", 2),
    entry: names.configEntry("seq-2", "r1"),
    host: names.memberHost("seq", "rollup", 2, "cluster.local"),
    lock: names.chainLockName("rollup-1", "cHJvcG9zZXI="),
    watched: names.WATCH_SELECTOR,
    members: names.MAX_MEMBERS,
  }).toEqual({
    identity: "seq-identity",
    config: "seq-config",
    headless: "seq",
    leader: "seq-leader",
    rpc: "seq-rpc",
    statefulSet: "seq",
    serviceAccount: "seq-member",
    budget: "seq",
    policy: "seq",
    member: "seq-2",
    claim: "data-seq-2",
    executionClaim: "execution-seq-2",
    entry: "seq-2.r1.yaml",
    host: "seq-2.seq.rollup.svc.cluster.local",
    lock: "evnode-chain-ceca67a02d6a51708c642441f9467fc8",
    watched: "app.kubernetes.io/managed-by=evnode-operator",
    members: 7,
  });
});

test("a lock belongs to chain and signer together, wherever one ends and the other begins", () => {
  const locks = [
    names.chainLockName("a", "bc"),
    names.chainLockName("ab", "c"),
    names.chainLockName("abc", ""),
    names.chainLockName('a","b', "c"),
  ];
  expect(new Set(locks).size).toBe(locks.length);
});

test("what a StatefulSet selects is part of what its pods are labelled with", () => {
  expect(names.commonLabels("seq")).toMatchObject(names.selectorLabels("seq"));
  expect(Object.keys(names.selectorLabels("seq"))).toEqual([
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "evnode.dev/cluster",
  ]);
});
