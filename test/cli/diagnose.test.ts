import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { KubeError } from "../../src/kube/errors.ts";
import { annotations, labels } from "../../src/model/annotations.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { Event, Pod } from "../../src/model/objects.ts";
import { entryText } from "../../src/model/secret-text.ts";
import type { MemoryApi } from "../fake/memory-api.ts";
import { podObject, runningCluster } from "../fake/running-cluster.ts";
import { run } from "./plugin-run.ts";

const PASSWORD = "hunter2hunter2";

async function sick(): Promise<MemoryApi> {
  const { api } = await runningCluster({
    metadata: {
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": `{"password":"${PASSWORD}"}` },
    },
    spec: { da: { address: `http://da:${PASSWORD}@local-da:7980` } },
  });
  const healthy = podObject("seq-2");
  const terminated = { exitCode: 1, message: "Usage:\n  start\nError: leader lock lost\n", reason: "Error" };
  const pod: Pod = {
    ...healthy,
    metadata: {
      ...healthy.metadata,
      annotations: { ...healthy.metadata.annotations, "example.org/theirs": PASSWORD },
    },
    spec: { containers: [{ name: "evnode", env: [{ name: "ANY", value: PASSWORD }] }] },
    status: {
      phase: "Running",
      containerStatuses: [
        {
          name: "evnode",
          image: "example.org/testapp:1",
          imageID: "i",
          ready: false,
          restartCount: 3,
          state: { waiting: { reason: "CrashLoopBackOff" } },
          lastState: { terminated },
        },
      ],
    },
  };
  api.put(pod);
  for (const [name, note] of [
    ["seq", `DA http://da:${PASSWORD}@local-da refuses`],
    ["seq-2", "Back-off restarting\nfailed container"],
    ["other", "is not ours"],
    ["seq-2-of-another", "is not ours"],
  ] as const)
    api.put(eventAbout(name, note));
  return api;
}

function eventAbout(name: string, note: string): Event {
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { namespace: "rollup", name: `${name}.1` },
    regarding: { kind: "Pod", namespace: "rollup", name },
    reason: "BackOff",
    type: "Warning",
    note,
    eventTime: `2026-01-01T00:00:0${name.length % 10}.000000Z`,
  };
}

describe("a diagnosis", () => {
  it("has last exits with what they mean, events and objects", async () => {
    const api = await sick();
    const { code, text } = await run(["diagnose", "seq", "-o", "yaml"], { api });
    expect(code).toBe(0);
    const found = parse(text);
    expect(found).toMatchObject({
      versions: { plugin: "1.2.3", kubernetes: "v1.35.2" },
      why: { cluster: "rollup/seq", verdict: "unknown" },
      cluster: { spec: { da: { address: "http://[hidden]@local-da:7980" } } },
      disruptionBudget: [{ name: "seq" }],
    });
    expect(found.members).toHaveLength(3);
    expect(found.members[2]).toMatchObject({
      name: "seq-2",
      containers: [{ restartCount: 3, diagnosis: { reason: "LeadershipLost" } }],
    });
    expect(found.claims).toHaveLength(3);
    expect(found.events.map(({ about }: { about: string }) => about)).toEqual(["Pod/seq", "Pod/seq-2"]);
  });

  it("is a page for people, and a file when asked", async () => {
    const api = await sick();
    const files = new Map<string, string>();
    const { text } = await run(["diagnose", "seq", "--file", "report.md"], { api, files });
    expect(text).toBe("The report is in report.md. Read it before you send it.");
    const report = files.get("report.md") ?? "";
    const titles = [...report.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    expect(titles).toEqual([
      "State",
      "Why",
      "Events",
      "Members",
      "EvNodeCluster",
      "StatefulSet",
      "Volume claims",
      "Services",
      "Disruption budget",
    ]);
    expect(report).toContain("Back-off restarting failed container");
  });

  it.each([
    [["diagnose", "seq"]],
    [["diagnose", "seq", "-o", "json"]],
    [["status", "seq"]],
    [["why", "seq"]],
  ])("reads no Secret, and shows none: %j", async (args) => {
    const api = await sick();
    const secret = api.held(kinds.secret, { namespace: "rollup", name: "seq-identity" });
    if (secret === undefined) throw new Error("a running cluster has an identity");
    api.requests.length = 0;
    const { terminal } = await run(args, { api });
    expect(api.requests.filter(({ kind }) => kind === "Secret")).toEqual([]);
    expect(terminal.everything).not.toContain(PASSWORD);
    for (const entry of ["signer.json", "passphrase", "node_key.0.json"])
      expect(terminal.everything).not.toContain(entryText(secret, entry));
  });

  it("says what could not be read", async () => {
    const api = await sick();
    api.fault = ({ kind, verb }) =>
      kind === "Event" && verb === "list"
        ? new KubeError("Forbidden", "cannot list Event rollup: no")
        : undefined;
    const { code, text } = await run(["diagnose", "seq"], { api });
    expect(code).toBe(0);
    expect(text).toContain("not read: cannot list Event rollup: no");
  });

  it("keeps the annotations of the operator", async () => {
    const api = await sick();
    api.put(
      podObject("seq-1", {
        annotations: { [annotations.configRevision]: "r9" },
        labels: { [labels.cluster]: "seq" },
      }),
    );
    const { text } = await run(["diagnose", "seq", "-o", "yaml"], { api });
    const { members } = parse(text);
    expect(members.find(({ name }: { name: string }) => name === "seq-1").annotations).toEqual({
      [annotations.configRevision]: "r9",
    });
  });
});
