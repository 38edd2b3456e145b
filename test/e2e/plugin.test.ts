import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundlePlugin } from "../../hack/bundle-plugin.ts";
import { type CommandResult, tryCommand } from "../../hack/local-cluster/command.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { identitySecretName } from "../../src/model/names.ts";
import type { Secret } from "../../src/model/objects.ts";
import { useObserved } from "./harness/observed.ts";
import { edit, isRolledOut } from "./harness/owner.ts";
import { useWorld } from "./harness/world.ts";

/** The plugin as it is shipped, with the kubeconfig of the person who runs the suite. */

const world = useWorld("plugin");
const observed = useObserved(() => world().cluster("seq"));

const folder = mkdtempSync(join(tmpdir(), "evnode-e2e-plugin-"));
let program = "";
beforeAll(async () => {
  ({ file: program } = await bundlePlugin(folder));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Longer than a drill on a busy machine takes, and shorter than a test. */
const TIMEOUT_MS = 500_000;

function plugin(...args: readonly string[]): Promise<CommandResult> {
  const { environment, namespace } = world();
  const common = ["--kubeconfig", environment.kubeconfig, "--namespace", namespace];
  return tryCommand(process.execPath, [program, ...args, ...common], { timeoutMs: TIMEOUT_MS });
}

describe("kubectl evnode", () => {
  it("shows the cluster, and that there is nothing to do", async () => {
    const { cluster } = observed();
    await cluster.isRunning();
    const list = await plugin("status");
    expect(list).toMatchObject({ code: 0 });
    expect(list.stdout).toMatch(/^NAME +READY +MEMBERS[^\n]*\nseq +True +3\/3 /);
    const tree = await plugin("status", "seq");
    expect(tree).toMatchObject({ code: 0 });
    expect(tree.stdout).toMatch(/ready \(AllMembersReady\), Running\n/);
    for (const member of cluster.memberNames) expect(tree.stdout).toContain(`─ ${member} `);
    const why = await plugin("why", "seq");
    expect(why).toMatchObject({ code: 0 });
    expect(why.stdout).toContain("the operator does nothing");
  });

  it("drills, and tells the gap", async () => {
    const { cluster, observer } = observed();
    const leader = (await cluster.leaderPod()).metadata.name;
    const drill = await plugin("drill", "seq", "--retry-for", "2m", "-o", "json");
    expect(drill).toMatchObject({ code: 0 });
    const told = JSON.parse(drill.stdout) as Record<string, unknown>;
    expect(told).toMatchObject({ result: "Succeeded", from: leader });
    expect(told["gapMs"]).toBeGreaterThan(0);
    await observer.goesOn();
  });

  it("restarts one member and waits for the end", async () => {
    const { cluster } = observed();
    await cluster.isRunning();
    const leader = (await cluster.leaderPod()).metadata.name;
    const member = cluster.memberNames.find((name) => name !== leader) ?? "";
    expect(await plugin("restart", "seq", "--member", member, "--wait")).toMatchObject({ code: 0 });
    await cluster.isRunning();
  });

  it("shows a plan, and has it carried out when it is approved", async () => {
    const { cluster } = observed();
    await edit(cluster, { rollout: { mode: "Plan" }, log: { level: "debug" } });
    await cluster.becomes("RolloutComplete", "PlanAwaitsApproval");
    const plan = await plugin("plan", "seq");
    expect(plan).toMatchObject({ code: 3 });
    const [, hash = ""] = /--plan ([0-9a-f]{10})/.exec(plan.stdout) ?? [];
    expect(await plugin("approve", "seq", "--plan", "0000000000")).toMatchObject({ code: 3 });
    expect(await plugin("approve", "seq", "--plan", hash)).toMatchObject({ code: 0 });
    await isRolledOut(cluster);
  });

  it("collects a report without secrets", async () => {
    const { cluster } = observed();
    const report = await plugin("diagnose", "seq");
    expect(report).toMatchObject({ code: 0 });
    expect(report.stdout).toContain("## Events");
    const secret = await identityOf(cluster.namespace);
    const long = Object.values(secret.data ?? {}).filter((value) => value.length > 40);
    for (const value of long) expect(report.stdout).not.toContain(value);
  });

  it("keeps the identity in a file, and brings it back as it was", async () => {
    const { cluster, observer } = observed();
    const before = await identityOf(cluster.namespace);
    const [file, passphrase] = [join(folder, "backup"), join(folder, "passphrase")];
    writeFileSync(passphrase, "a passphrase for tests\n", { mode: 0o600 });
    const given = ["--file", file, "--passphrase-file", passphrase];
    expect(await plugin("identity", "backup", "seq", ...given)).toMatchObject({ code: 0 });
    for (const value of Object.values(before.data ?? {}))
      expect(readFileSync(file, "utf8")).not.toContain(value);

    await world().kubectl.run(["delete", "secret", before.metadata.name, "--namespace", cluster.namespace]);
    expect(await plugin("identity", "restore", "seq", ...given, "--yes")).toMatchObject({ code: 0 });
    const after = await identityOf(cluster.namespace);
    expect(after.data).toEqual(before.data);
    expect(after.metadata.annotations).toEqual(before.metadata.annotations);
    await cluster.isRunning();
    await observer.goesOn();
    expect(await plugin("identity", "restore", "seq", ...given)).toMatchObject({ code: 0 });
  });
});

async function identityOf(namespace: string): Promise<KubeObject & Pick<Secret, "data">> {
  const path = `/api/v1/namespaces/${namespace}/secrets/${identitySecretName("seq")}`;
  return world().api.get<Secret>(path);
}
