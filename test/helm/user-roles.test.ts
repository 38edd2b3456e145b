import { describe, expect, it, vi } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { kinds } from "../../src/model/kinds.ts";
import { run } from "../cli/plugin-run.ts";
import { RecordedTerminal } from "../cli/recorded-terminal.ts";
import { runningCluster } from "../fake/running-cluster.ts";
import { helm, render, skipped } from "./chart.ts";
import { grants, named } from "./grants.ts";

/** A key from a passphrase is slow on purpose, and slower on a busy machine. */
vi.setConfig({ testTimeout: 120_000 });

const verbs: Readonly<Record<string, string>> = { replace: "update", replaceStatus: "update" };
const resources = new Map(
  Object.values(kinds).map(({ kind, apiVersion, plural }) => {
    const [group = "", version] = apiVersion.split("/");
    return [kind, `${version === undefined ? "" : group}/${plural}`];
  }),
);

const passphrase = ["--passphrase-file", "passphrase"];
/** One use of each command that goes as far as it can, and of what asks for more. */
const uses: readonly (readonly string[])[] = [
  ["status"],
  ["status", "seq", "--watch"],
  ["status", "nobody"],
  ["why", "seq"],
  ["plan", "seq"],
  ["approve", "seq", "--member", "seq-1"],
  ["restart", "seq"],
  ["drill", "seq"],
  ["resize", "seq", "--replicas", "5", "--yes"],
  ["suspend", "seq", "--yes"],
  ["resume", "seq"],
  ["diagnose", "seq"],
  ["identity backup", "seq", "--file", "backup", ...passphrase],
  ["identity restore", "seq", "--file", "backup", ...passphrase, "--yes"],
  ["completion", "bash"],
  ["version"],
];

/** `group/resource verb` of every request that a use of the plugin makes. */
async function asked(use: readonly string[], files: Map<string, string>): Promise<ReadonlySet<string>> {
  const { api, clock } = await runningCluster();
  if (use[0] === "identity restore") api.remove(kinds.secret, { namespace: "rollup", name: "seq-identity" });
  api.requests.length = 0;
  const ended = new AbortController();
  const state = { isOver: false };
  const args = [...(use[0] ?? "").split(" "), ...use.slice(1)];
  const options = { api, clock, files, signal: ended.signal, terminal: new RecordedTerminal() };
  const running = run(args, options).finally(() => {
    state.isOver = true;
  });
  // What waits for an operator gives up, and what watches is stopped.
  for (let seconds = 0; !state.isOver; seconds++) {
    if (seconds === 10 && use.includes("--watch")) ended.abort();
    await clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await running;
  return new Set(
    api.requests.map(({ kind, verb }) => `${resources.get(kind) ?? kind} ${verbs[verb] ?? verb}`),
  );
}

function granted(role: string, ...values: readonly string[]): ReadonlySet<string> {
  const kind = values.length > 0 ? "Role" : "ClusterRole";
  const pairs = Object.entries(grants(named(render(...values), kind, `evnode-operator-${role}`)));
  return new Set(pairs.flatMap(([resource, all]) => all.split(" ").map((verb) => `${resource} ${verb}`)));
}

const inNamespace = 'watchNamespace="chains"';
const aggregated = (name: string) =>
  Object.keys(named(render(), "ClusterRole", `evnode-operator-${name}`).metadata.labels ?? {}).flatMap(
    (label) => /aggregate-to-(\w+)$/.exec(label)?.[1] ?? [],
  );

describe.skipIf(helm === undefined)(`the chart's roles for people${skipped}`, () => {
  it("grant users of the plugin what its commands ask for, and nothing else", async () => {
    expect(new Set(uses.map(([path]) => path))).toEqual(new Set(commands.map(({ path }) => path)));
    const files = new Map([["passphrase", "correct horse battery staple"]]);
    const all = new Set<string>();
    const ofIdentity = new Set<string>();
    for (const use of uses) {
      const into = use[0]?.startsWith("identity") ? ofIdentity : all;
      for (const request of await asked(use, files)) into.add(request);
    }
    expect(all).toEqual(granted("plugin"));
    expect(ofIdentity).toEqual(granted("plugin-identity"));
  });

  it("let viewers read clusters and editors write them, as parts of Kubernetes' own roles", () => {
    expect([...granted("view")]).toEqual(
      ["get", "list", "watch"].map((verb) => `evnode.dev/evnodeclusters ${verb}`),
    );
    expect(aggregated("view")).toEqual(["view", "edit", "admin"]);
    expect([...granted("edit")]).toEqual(
      ["create", "update", "patch", "delete", "deletecollection"].map(
        (verb) => `evnode.dev/evnodeclusters ${verb}`,
      ),
    );
    expect(aggregated("edit")).toEqual(["edit", "admin"]);
  });

  it("reach Secrets by one role alone, which is part of no other and bound to nobody", () => {
    const ofSecrets = ["view", "edit", "plugin"].filter((role) =>
      [...granted(role)].some((grant) => grant.startsWith("/secrets")),
    );
    expect(ofSecrets).toEqual([]);
    expect([...aggregated("plugin"), ...aggregated("plugin-identity")]).toEqual([]);
    const bound = render().flatMap(({ kind, roleRef }) =>
      kind.endsWith("Binding") ? [(roleRef as { readonly name: string }).name] : [],
    );
    expect(bound.filter((name) => /-(?:view|edit|plugin)/.test(name))).toEqual([]);
  });

  it("are Roles of the one namespace where there is one, with the same rights", () => {
    for (const role of ["view", "edit", "plugin", "plugin-identity"]) {
      expect(granted(role, inNamespace)).toEqual(granted(role));
      const made = named(render(inNamespace), "Role", `evnode-operator-${role}`);
      expect(made.metadata.namespace).toBe("chains");
      expect(Object.keys(made.metadata.labels ?? {}).filter((key) => key.includes("aggregate"))).toEqual([]);
    }
  });

  it("are left out on request", () => {
    const names = render("rbac.userRoles=false").map(({ metadata }) => metadata.name);
    expect(names.filter((name) => /-(?:view|edit|plugin)/.test(name))).toEqual([]);
  });
});
