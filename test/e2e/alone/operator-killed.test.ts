import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { chainLockName } from "../../../src/model/names.ts";
import type { Cluster } from "../harness/cluster.ts";
import { endStateOf } from "../harness/end-state.ts";
import { environment } from "../harness/environment.ts";
import { History } from "../harness/history.ts";
import { Observer } from "../harness/observer.ts";
import { operatorNamespace } from "../harness/operator-names.ts";
import { seeded } from "../harness/seeded.ts";
import { until } from "../harness/until.ts";
import { useWorld } from "../harness/world.ts";
import { type AuditedRequest, AuditTape } from "./audit.ts";
import { killOperator } from "./operator.ts";

/** Alone: the operator of every cluster is killed. */

const world = useWorld("killed");
const seed = Number(process.env["E2E_SEED"] || Math.floor(Math.random() * 1_000_000));
const chance = seeded(seed);
/** On an idle machine a cluster is created in about 10 s and deleted in about 4 s. */
const CREATION_MS = 8_000;
const DELETION_MS = 3_000;

/** Kills the operator twice at moments that chance chooses, each time while an operator is at work. */
async function killTwice(within: number): Promise<void> {
  for (const kill of [1, 2]) {
    const afterMs = Math.round(chance() * within);
    console.log(`seed ${seed}: kill ${kill} after ${afterMs} ms`);
    await sleep(afterMs);
    await killOperator(world());
  }
}

/** How often the operator wrote each object with success, by resource and name. */
function successfulWrites(requests: readonly AuditedRequest[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { verb, objectRef, responseStatus } of requests) {
    const { namespace, resource = "", subresource, name = "" } = objectRef ?? {};
    const isOther = namespace !== world().namespace || resource === "events" || verb === "delete";
    if (isOther || (responseStatus?.code ?? 0) >= 300) continue;
    const key = [resource, name, subresource].filter(Boolean).join("/");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

async function lockOf(cluster: Cluster): Promise<object | undefined> {
  const { metadata } = await cluster.secret(`${cluster.name}-identity`);
  const proposer = metadata.annotations?.["evnode.dev/proposer"] ?? "";
  const lock = chainLockName(cluster.manifest.spec.chain.id, proposer);
  return cluster.api.find(`/api/v1/namespaces/${operatorNamespace}/configmaps/${lock}`);
}

describe(`an operator that is killed again and again (E2E_SEED=${seed})`, () => {
  let undisturbed: Cluster;
  let disturbed: Cluster;
  let observer: Observer;
  let history: History;
  let tape: AuditTape | undefined;

  it("ends creation with the same objects as one that was left alone", async () => {
    undisturbed = world().cluster("calm");
    disturbed = world().cluster("hard");
    history = new History(disturbed);
    const auditLog = environment().machine?.auditLog;
    tape = auditLog === undefined ? undefined : await AuditTape.start(auditLog);
    await undisturbed.apply();
    await undisturbed.isRunning();

    observer = new Observer(disturbed);
    await disturbed.apply();
    await killTwice(CREATION_MS);
    await disturbed.isRunning();
    await observer.goesOn();
    const expected = await endStateOf(undisturbed);
    expect(Object.keys(expected).length).toBeGreaterThan(12);
    expect(await endStateOf(disturbed)).toEqual(expected);
  });

  it("ends deletion with the same objects, too", async () => {
    await Promise.all([undisturbed.delete(), deletedAmidKills()]);
    const left = ["claims/data-NAME-0", "claims/data-NAME-1", "claims/data-NAME-2", "secrets/NAME-identity"];
    for (const cluster of [undisturbed, disturbed]) {
      await until(
        `end of everything of ${cluster.name} but volumes and identity`,
        async () => {
          const names = Object.keys(await endStateOf(cluster));
          return names.join() === left.join()
            ? { found: true }
            : { missing: `there are ${names.join(", ")}` };
        },
        { withinMs: 60_000 },
      );
      // The chain has begun: its lock stays with its identity and volumes.
      expect(await lockOf(cluster)).toBeDefined();
    }
    expect(await endStateOf(disturbed)).toEqual(await endStateOf(undisturbed));
  });

  async function deletedAmidKills(): Promise<void> {
    const deletion = disturbed.delete();
    await killTwice(DELETION_MS);
    await deletion;
  }

  it("made no object twice, and wrote none that had not to change", async () => {
    await observer.stop();
    await history.stop();
    expect(observer.record.problems()).toEqual([]);
    expect(history.replaced).toEqual([]);
    if (tape === undefined) return;
    const writes = successfulWrites(await tape.writes());
    expect(writes.size).toBeGreaterThan(20);
    const idle = [...writes].filter(([key, count]) => count > history.changesOf(key));
    const shown = idle.map(([key, count]) => `${key}: ${count} writes, ${history.changesOf(key)} changes`);
    expect(shown).toEqual([]);
  });
});
