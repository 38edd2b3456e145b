import { describe, expect, it, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { CURRENT_DEFAULTS_VERSION } from "../../src/api/defaults.ts";
import { executionPorts, fixed, PPROF_PORT, TESTAPP_PORT } from "../../src/api/fixed.ts";
import { parseCluster } from "../../src/api/parse.ts";
import { printerColumns } from "../../src/api/resource.ts";
import { parseCommandLine } from "../../src/cli/arguments.ts";
import { commands } from "../../src/cli/commands.ts";
import { AGENT_PORT } from "../../src/model/agent-protocol.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { claimOf } from "../../src/model/member.ts";
import { claimName, WATCH_SELECTOR } from "../../src/model/names.ts";
import type { PersistentVolumeClaim } from "../../src/model/objects.ts";
import { goodManifest, patched } from "../api/manifest-patch.ts";
import { commandLinesOf, documents, fencesOf, read } from "./documents.ts";

/** What stands behind `kubectl evnode` up to the end of the command, word by word. */
function pluginCallsIn(line: string): readonly (readonly string[])[] {
  const command = line.replace(/(^|\s)#.*$/, "");
  return [...command.matchAll(/kubectl evnode\b([^|;&<>()]*)/g)].map(([, rest = ""]) =>
    rest.split(/\s+/).filter((word) => word !== ""),
  );
}

/** What the plugin would object to. */
function objectionTo(words: readonly string[]): string | undefined {
  const line = parseCommandLine(words, commands);
  return line.kind === "usage" ? `kubectl evnode ${words.join(" ")}: ${line.problem}` : undefined;
}

describe("the reader of commands", () => {
  test.each([
    ["source <(kubectl evnode completion bash)     # or zsh", [["completion", "bash"]]],
    ["until kubectl evnode status my-chain >/dev/null; do sleep 5; done", [["status", "my-chain"]]],
    ["kubectl evnode drill a -o json | jq .gapMs", [["drill", "a", "-o", "json"]]],
    ["kubectl apply -f copy.yaml   # or what kubectl evnode made", []],
  ])("finds the plugin's in %s", (line, calls) => {
    expect(pluginCallsIn(line)).toEqual(calls);
  });

  test.each([
    [["stauts", "my-chain"], 'Unknown command "stauts"'],
    [["approve", "my-chain", "--hash", "1"], "Unknown option '--hash'"],
    [["identity", "backup"], '"identity backup" needs NAME'],
  ])("finds what is wrong with %j", (words, problem) => {
    expect(objectionTo(words)).toContain(problem);
  });
});

describe.each(documents)("commands of the plugin in %s", (file) => {
  const text = read(file);

  it("are ones that it takes", () => {
    const calls = commandLinesOf(text).flatMap(pluginCallsIn);
    expect(calls.flatMap((words) => objectionTo(words) ?? [])).toEqual([]);
  });

  it("are named right where they stand in a sentence", () => {
    const spans = [...text.matchAll(/`(kubectl evnode[^`]*)`/g)].flatMap(([, span = ""]) =>
      pluginCallsIn(span),
    );
    // There a command may stand for itself, without what it needs.
    const wrong = spans.flatMap((words) => objectionTo(words) ?? []);
    expect(wrong.filter((problem) => !/" needs [A-Z]+$/.test(problem))).toEqual([]);
  });
});

test("docs/kubectl-plugin-output.md has an output of every command", () => {
  const shown = [...read("docs/kubectl-plugin-output.md").matchAll(/^\$ kubectl evnode (.+)\n[^`$]/gm)];
  const isShown = (path: string) =>
    shown.some(([, words = ""]) => words.startsWith(`${path} `) || words === path);
  const missing = commands.map(({ path }) => path).filter((path) => !isShown(path));
  expect(missing).toEqual(["completion", "version"]);
});

const values = parse(read("helm/values.yaml")) as object;

function hasValue(path: string): boolean {
  const steps = path.split(".");
  let node: unknown = values;
  for (const step of steps) {
    if (typeof node !== "object" || node === null || !(step in node)) return false;
    node = (node as Readonly<Record<string, unknown>>)[step];
  }
  return true;
}

test.each(documents)("values of the chart that %s sets exist", (file) => {
  const set = [...read(file).matchAll(/--set (?:[a-z]+ )?([\w.]+)=/g)].map(([, path = ""]) => path);
  expect(set.filter((path) => !hasValue(path))).toEqual([]);
});

/** A whole manifest, or what is to be changed of one. */
function objectOf(value: unknown): KubeObject | undefined {
  const { kind, spec } = value as { readonly kind?: string; readonly spec?: unknown };
  if (kind === goodManifest.kind) return value as KubeObject;
  if (kind === undefined && spec !== undefined) return patched(goodManifest, value) as KubeObject;
  return undefined;
}

test.each(documents)(
  "EvNodeClusters in %s are ones that the operator accepts, with no unknown field",
  (file) => {
    const blocks = fencesOf(read(file)).filter(({ language }) => language === "yaml");
    const objects = blocks
      .flatMap(({ text }) => parseAllDocuments(text).map((one) => one.toJS() as unknown))
      .flatMap((value) => objectOf(value) ?? []);
    for (const object of objects) {
      // Whatever the schema does not know would be dropped in what was read.
      const parsed = parseCluster(object, CURRENT_DEFAULTS_VERSION);
      expect(parsed).toMatchObject({ kind: "valid", cluster: object });
    }
  },
);

test.each(["docs/first-cluster.md", "README.md"])("the manifest in %s is examples/minimal.yaml", (file) => {
  const [block] = fencesOf(read(file)).filter(({ language }) => language === "yaml");
  expect(parse(block?.text ?? "")).toEqual(parse(read("examples/minimal.yaml")));
});

test("the table in docs/first-cluster.md has the columns that kubectl prints", () => {
  const [, header = ""] = /^(NAME .*)$/m.exec(read("docs/first-cluster.md")) ?? [];
  const columns = printerColumns
    .filter(({ priority = 0 }) => priority === 0)
    .map(({ name }) => name.toUpperCase());
  expect(header.split(/\s+/)).toEqual(["NAME", ...columns]);
});

test("the claim in docs/disaster.md is one that the operator sees, and takes for one that was started on", () => {
  const [block] = fencesOf(read("docs/disaster.md")).filter(({ language }) => language === "yaml");
  const claim = parse(block?.text ?? "") as PersistentVolumeClaim;
  const [key = "", value] = WATCH_SELECTOR.split("=");
  expect(claim.metadata.labels?.[key]).toBe(value);
  expect(claim.metadata.name).toBe(claimName("my-chain", 1));
  expect(claimOf(claim).started).toBe(1);
});

describe("docs/security.md", () => {
  const page = read("docs/security.md");

  it("has the rights that the chart gives", () => {
    const told = [...page.matchAll(/^\| `([a-z/.0-9]+)` \| ([a-z, ]+) \| /gm)].map(
      ([, name, verbs]) => `${name}: ${verbs}`,
    );
    const [template = ""] = read("helm/templates/rbac.yaml").split("\n---\n");
    const rule = /apiGroups: \[(.*)\]\n\s+resources: \[(.*)\]\n\s+verbs: \[(.*)\]/g;
    const given = [...template.matchAll(rule)].flatMap(([, group = "", resources = "", verbs = ""]) =>
      resources.split(", ").map((resource) => {
        return `${group === '""' ? resource : `${resource}.${group}`}: ${verbs}`;
      }),
    );
    expect(told.toSorted()).toEqual(given.toSorted());
  });

  it("has every port", () => {
    const cells = [...page.matchAll(/^\| ([\d, ]+)(?: \||, or )/gm)].flatMap(
      ([, cell = ""]) => cell.match(/\d+/g) ?? [],
    );
    const { probes, metrics } = { probes: 8081, metrics: 8443 };
    const { raftPort, p2pPort, rpcPort, metricsPort } = fixed;
    const all = [
      raftPort,
      p2pPort,
      rpcPort,
      metricsPort,
      TESTAPP_PORT,
      PPROF_PORT,
      AGENT_PORT,
      probes,
      metrics,
    ];
    expect(cells.toSorted()).toEqual([...all, ...Object.values(executionPorts)].map(String).toSorted());
  });
});
