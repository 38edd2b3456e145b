import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundlePlugin } from "../../hack/bundle-plugin.ts";
import { type CommandResult, tryCommand } from "../../hack/local-cluster/command.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { identitySecretName } from "../../src/model/names.ts";
import type { Secret } from "../../src/model/objects.ts";
import { type Observed, useObserved } from "./harness/observed.ts";
import { edit, isRolledOut } from "./harness/owner.ts";
import { ShownOutput } from "./harness/shown-output.ts";
import { until } from "./harness/until.ts";
import { findsVolumeEmpty, loseVolume } from "./harness/volumes.ts";
import { useWorld } from "./harness/world.ts";

/**
 * The plugin as it is shipped, with the kubeconfig of the person who runs the suite. What it prints is what the pages
 * show: see `harness/shown-output.ts`.
 */

const NAME = "my-chain";

const world = useWorld("plugin");
const observed = useObserved(() => world().cluster(NAME));

const folder = mkdtempSync(join(tmpdir(), "evnode-e2e-plugin-"));
const backup = join(folder, "my-chain.backup");
const passphrase = join(folder, "passphrase");
let program = "";
beforeAll(async () => {
  ({ file: program } = await bundlePlugin(folder));
  writeFileSync(passphrase, "a passphrase for tests\n", { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const output = new ShownOutput(() => {
  const { environment, namespace } = world();
  return [
    [`${namespace}-${NAME}`, "my-chain-1"],
    [namespace, "default"],
    [environment.images.node, "ghcr.io/evstack/ev-node-testapp:v1.1.5"],
    [environment.images.otherNode, "ghcr.io/evstack/ev-node-testapp:v1.1.6"],
    [`${folder}/`, ""],
  ];
});

/** Longer than a drill on a busy machine takes, and shorter than a test. */
const TIMEOUT_MS = 500_000;

function plugin(...args: readonly string[]): Promise<CommandResult> {
  const { environment, namespace } = world();
  const common = ["--kubeconfig", environment.kubeconfig, "--namespace", namespace];
  return tryCommand(process.execPath, [program, ...args, ...common], { timeoutMs: TIMEOUT_MS });
}

/** A busy machine may elect another leader now and then, which shows for a while. */
const PRINTS_WITHIN_MS = 180_000;
const BACK_MS = 120_000;

/** Runs a command, which has to print what the pages show under this name. */
async function shows(block: string, ...args: readonly string[]): Promise<CommandResult> {
  const result = await plugin(...args);
  expect(output.differenceOf(block, typed(args), result)).toBeUndefined();
  return result;
}

/** The same for a command that may be run again: until it prints these words, and what the pages show. */
async function showsOnce(block: string, words: RegExp, ...args: readonly string[]): Promise<CommandResult> {
  return until(
    `${args.join(" ")} prints ${words}, as the pages show it`,
    async () => {
      const result = await plugin(...args);
      if (!words.test(result.stdout)) return { missing: result.stdout };
      const missing = output.differenceOf(block, typed(args), result);
      return missing === undefined ? { found: result } : { missing };
    },
    { withinMs: PRINTS_WITHIN_MS },
  );
}

const typed = (args: readonly string[]) => `kubectl evnode ${args.join(" ").replaceAll(`${folder}/`, "")}`;

async function follower({ cluster }: Observed): Promise<string> {
  const leader = (await cluster.leaderPod()).metadata.name;
  return cluster.memberNames.find((name) => name !== leader) ?? "";
}

describe("kubectl evnode", () => {
  it("shows the cluster, and that there is nothing to do", async () => {
    const { cluster } = observed();
    await cluster.isRunning();
    await cluster.becomes("TimingFits", "RoundTripsFit");
    const tree = await showsOnce("status", /(RTT \d+ ms[^]*){2}longest round trip/, "status", NAME);
    expect(tree.code).toBe(0);
    expect(tree.stdout).toMatch(/ready \(AllMembersReady\), Running\n/);
    for (const member of cluster.memberNames) expect(tree.stdout).toContain(`─ ${member} `);
    const list = await showsOnce("list", /^NAME +READY +MEMBERS[^\n]*\nmy-chain +True +3\/3 /, "status");
    expect(list.code).toBe(0);
    const why = await showsOnce("why", /the operator does nothing/, "why", NAME);
    expect(why.code).toBe(0);
    expect(await shows("nothing-planned", "plan", NAME)).toMatchObject({ code: 0 });
  });

  it("says what is wrong with a command, and ends with a code of its own", async () => {
    expect(await shows("no-such-cluster", "status", "my-chian")).toMatchObject({ code: 1 });
    expect(await shows("no-such-command", "stauts", NAME)).toMatchObject({ code: 2 });
    expect(await shows("nobody-to-ask", "suspend", NAME)).toMatchObject({ code: 2 });
    expect(await shows("nothing-waits", "approve", NAME)).toMatchObject({ code: 3 });
    expect(await shows("no-such-size", "resize", NAME, "--replicas", "3", "--yes")).toMatchObject({
      code: 3,
    });
    expect(await shows("no-such-member", "restart", NAME, "--member", "my-chain-7")).toMatchObject({
      code: 2,
    });
  });

  it("drills, and tells the gap", async () => {
    const { cluster, observer } = observed();
    const leader = (await cluster.leaderPod()).metadata.name;
    const drill = await plugin("drill", NAME, "--retry-for", "2m", "-o", "json");
    expect(drill).toMatchObject({ code: 0 });
    const told = JSON.parse(drill.stdout) as Record<string, unknown>;
    expect(told).toMatchObject({ result: "Succeeded", from: leader });
    expect(told["gapMs"]).toBeGreaterThan(0);
    await observer.goesOn();
    await cluster.isRunning();
    await showsOnce("drill", /succeeded/, "drill", NAME);
    await cluster.isRunning();
  });

  it("restarts one member and waits for the end", async () => {
    const { cluster } = observed();
    await cluster.isRunning();
    const member = await follower(observed());
    expect(await shows("restart", "restart", NAME, "--member", member, "--wait")).toMatchObject({ code: 0 });
    await cluster.isRunning();
  });

  it("shows a plan, and has it carried out when it is approved", async () => {
    const { cluster } = observed();
    const rollout = { mode: "Plan", minReadySeconds: 60 } as const;
    await edit(cluster, { rollout, image: world().environment.images.otherNode });
    await cluster.becomes("RolloutComplete", "PlanAwaitsApproval", [], 120_000);
    const plan = await showsOnce("plan", /--plan/, "plan", NAME);
    expect(plan.code).toBe(3);
    expect(await showsOnce("why-plan", /needs you/, "why", NAME)).toMatchObject({ code: 3 });
    const [, hash = ""] = /--plan ([0-9a-f]{10})/.exec(plan.stdout) ?? [];
    expect(await shows("wrong-plan", "approve", NAME, "--plan", "0000000000")).toMatchObject({ code: 3 });
    expect(await shows("approve-plan", "approve", NAME, "--plan", hash)).toMatchObject({ code: 0 });
    // The first follower is back, and has to take part for some time before the next one goes.
    await showsOnce("status-rollout", /1 of 3 done[^]*waits: \S+ has to take part/, "status", NAME);
    expect(await showsOnce("why-rollout", /at work/, "why", NAME)).toMatchObject({ code: 0 });
    expect(await shows("drill-refused", "drill", NAME, "--retry-for", "0s")).toMatchObject({ code: 3 });
    await edit(cluster, { rollout: { mode: "Auto", minReadySeconds: 1 } });
    await isRolledOut(cluster);
    await cluster.becomes("TimingFits", "RoundTripsFit");
    await showsOnce("status-after", /last rollout/, "status", NAME);
  });

  it("collects a report without secrets", async () => {
    const { cluster } = observed();
    const file = join(folder, "report.md");
    expect(await shows("diagnose", "diagnose", NAME, "--file", file)).toMatchObject({ code: 0 });
    const grep = await tryCommand("grep", ["^#", file]);
    expect(output.differenceOf("report", "grep '^#' report.md", grep)).toBeUndefined();
    const report = readFileSync(file, "utf8");
    expect(report).toContain("## Events");
    const secret = await identityOf(cluster.namespace);
    const long = Object.values(secret.data ?? {}).filter((value) => value.length > 40);
    for (const value of long) expect(report).not.toContain(value);
  });

  it("keeps the identity in a file, and brings it back as it was", async () => {
    const { cluster, observer } = observed();
    const before = await identityOf(cluster.namespace);
    const given = ["--file", backup, "--passphrase-file", passphrase];
    expect(await shows("backup", "identity", "backup", NAME, ...given)).toMatchObject({ code: 0 });
    for (const value of Object.values(before.data ?? {}))
      expect(readFileSync(backup, "utf8")).not.toContain(value);
    expect(await shows("restore-same", "identity", "restore", NAME, ...given, "--dry-run")).toMatchObject({
      code: 0,
    });

    await world().kubectl.run(["delete", "secret", before.metadata.name, "--namespace", cluster.namespace]);
    expect(await shows("restore", "identity", "restore", NAME, ...given, "--yes")).toMatchObject({ code: 0 });
    const after = await identityOf(cluster.namespace);
    expect(after.data).toEqual(before.data);
    expect(after.metadata.annotations).toEqual(before.metadata.annotations);
    expect(await plugin("identity", "restore", NAME, ...given)).toMatchObject({ code: 0 });
    writeFileSync(passphrase, "another one\n");
    expect(await shows("wrong-passphrase", "identity", "restore", NAME, ...given)).toMatchObject({ code: 3 });
    await cluster.becomes("ConfigValid", "ConfigAccepted");
    await cluster.isRunning();
    await observer.goesOn();
  });

  it("asks its owner about a lost volume, and takes the answer to the operator", async () => {
    const { cluster } = observed();
    await edit(cluster, { repair: { mode: "Approve" } });
    const member = await follower(observed());
    await loseVolume(cluster, member);
    await findsVolumeEmpty(cluster, member);
    await cluster.becomes("VolumesReady", "VolumeLost", [
      /a new one\. It will not start on it\. To rebuild it/,
    ]);
    await showsOnce("why-lost", /needs you\. \S+ has lost/, "why", NAME);
    expect(await shows("approve-member", "approve", NAME, "--member", member)).toMatchObject({ code: 0 });
    await cluster.becomes("VolumesReady", "VolumesIntact", [], 120_000);
    await cluster.isRunning();
  });

  it("stops all members, and lets them go on", async () => {
    const { cluster } = observed();
    const { height = 0 } = (await cluster.isRunning()).status ?? {};
    expect(await shows("suspend", "suspend", NAME, "--yes", "--wait")).toMatchObject({ code: 0 });
    expect(await showsOnce("status-suspended", /Suspended/, "status", NAME)).toMatchObject({ code: 3 });
    expect(await shows("resume", "resume", NAME, "--wait")).toMatchObject({ code: 0 });
    await cluster.reachesHeight(height + 1, BACK_MS);
  });

  it("prints all that the pages show", () => {
    expect(output.unseen).toEqual([]);
  });
});

async function identityOf(namespace: string): Promise<KubeObject & Pick<Secret, "data">> {
  const path = `/api/v1/namespaces/${namespace}/secrets/${identitySecretName(NAME)}`;
  return world().api.get<Secret>(path);
}
