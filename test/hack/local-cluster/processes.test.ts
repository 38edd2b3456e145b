import { describe, expect, it } from "vitest";
import { mountsBelow } from "../../../hack/local-cluster/leftovers.ts";
import { identityOf, isAlive, parseStat } from "../../../hack/local-cluster/process.ts";
import { readyCondition } from "../../../hack/local-cluster/readiness.ts";
import { ready } from "../../../hack/local-cluster/wait.ts";

const statOf = (name: string, state: string) =>
  `42 (${name}) ${state} 1 42 42 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 9 0 777 1000 200`;

describe("parseStat", () => {
  it.each(["etcd", "a b", "a) R 1 (b", "kube-apiserver"])(
    "reads state and start time of a program named %s",
    (name) => {
      expect(parseStat(statOf(name, "S"))).toEqual({ state: "S", startTicks: 777 });
    },
  );

  it("does not take a torn line for a process", () => {
    expect(parseStat("42 (etcd) S 1")).toBeUndefined();
  });
});

describe.runIf(process.platform === "linux")("isAlive", () => {
  it("knows this very process", () => {
    const self = identityOf(process.pid);
    expect(self && isAlive(self)).toBe(true);
  });

  it.each([
    ["started at another time", { startTicks: 1 }],
    ["of an earlier boot", { bootId: "00000000-0000-0000-0000-000000000000" }],
  ])("does not take a process %s for the one with the same id", (_, difference) => {
    const self = identityOf(process.pid);
    expect(self && isAlive({ ...self, ...difference })).toBe(false);
  });
});

describe("mountsBelow", () => {
  const line = (target: string) => `36 35 98:0 /root ${target} rw,noatime - ext4 /dev/vda rw`;

  it("lists deepest mounts first and nothing outside", () => {
    const info = ["/", "/run/ours", "/run/ours/a/b", "/run/ours-not", "/run/ours/a"].map(line).join("\n");
    expect(mountsBelow(info, ["/run/ours"])).toEqual(["/run/ours/a/b", "/run/ours/a", "/run/ours"]);
  });

  it("reads a path with a space, which the kernel writes as octal", () => {
    expect(mountsBelow(line("/run/ours/a\\040b"), ["/run/ours"])).toEqual(["/run/ours/a b"]);
  });
});

describe("readyCondition", () => {
  const node = (status: string) =>
    JSON.stringify({
      status: { conditions: [{ type: "Ready", status, message: "network plugin is not ready" }] },
    });

  it.each([
    ["ready", node("True"), ready],
    ["not ready, with the kubelet's reason", node("False"), "network plugin is not ready"],
    ["unknown before the kubelet has reported", "{}", "node has no Ready condition"],
  ])("is %s", (_, text, expected) => {
    expect(readyCondition(text)).toBe(expected);
  });
});
