import { randomInt } from "node:crypto";
import { kinds } from "../../../src/model/kinds.ts";
import { identitySecretName } from "../../../src/model/names.ts";
import type { Random } from "../../../src/runtime/random.ts";
import { seededRandom } from "../../../test/runtime/seeded-random.ts";
import { say } from "../../local-cluster/progress.ts";
import { type AuditedRequest, AuditReader } from "../audit-log.ts";
import { campaign, type Report } from "../campaign.ts";
import { differences, type EndState, readEndState } from "../end-state.ts";
import { provideNamespace } from "../namespaces.ts";
import { type NeedlessWrites, needlessWrites } from "../needless-writes.ts";
import { manifestOf, operatedCluster, remove } from "../operated-cluster.ts";
import type { OperatorProcess } from "../operator-process.ts";
import { provideOwnOperator } from "../own-operator.ts";
import { podsOf } from "../pods.ts";
import { requireLocal } from "../provide-cluster.ts";
import { pause, pollUntil, type Session } from "../session.ts";
import { duration } from "../table.ts";
import { recordObjects } from "../written-objects.ts";

const RUNNING_TIMEOUT_MS = 240_000;
const GONE_TIMEOUT_MS = 240_000;
/** What is still under way when a cluster runs or is gone: claims, labels, events. */
const SETTLE_MS = 5_000;
/** A kill comes at a random moment of this time after a start of the operator. */
const MAX_LIFE_MS = 3_000;
const KILLS_PER_PHASE = 3;

/** One cluster from creation to deletion. */
export interface Life {
  readonly kills: number;
  readonly running: EndState;
  readonly gone: EndState;
  readonly runningMs: number;
  readonly goneMs: number;
  readonly needless: readonly NeedlessWrites[];
  /** Objects that were to be created although they existed. */
  readonly repeated: readonly string[];
}

export const operatorKills = campaign({
  name: "operator-kills",
  about: "the operator killed at random moments while clusters are created and deleted",
  options: {
    kills: { full: 20, short: 4, about: "SIGKILLs of the operator" },
    seed: { full: 0, short: 0, about: "of the random moments; 0 draws one" },
  },
  async run(session, options) {
    const seed = options.seed === 0 ? randomInt(1, 1_000_000) : options.seed;
    const random = seededRandom(seed);
    say(`seed ${seed}`);
    const { auditLog } = requireLocal(session);
    const namespace = await provideNamespace(session, "kills");
    const operator = await provideOwnOperator(session, namespace);
    await operator.start();
    const live = async (kills: number) => liveOnce(session, { namespace, operator, auditLog, random, kills });
    const undisturbed = await live(0);
    const lives: Life[] = [];
    for (let left = options.kills; left > 0; ) {
      const life = await live(Math.min(left, 2 * KILLS_PER_PHASE));
      lives.push(life);
      left -= life.kills;
      say(`${life.kills} kills, running after ${duration(life.runningMs)}, ${left} kills left`);
    }
    return killsReport(undisturbed, lives, seed);
  },
});

interface Circumstances {
  readonly namespace: string;
  readonly operator: OperatorProcess;
  readonly auditLog: string;
  readonly random: Random;
  readonly kills: number;
}

async function liveOnce(session: Session, around: Circumstances): Promise<Life> {
  const { namespace, operator, auditLog, kills } = around;
  const wish = { namespace, name: "chain", replicas: 3, blockTime: "1s" } as const;
  const record = await recordObjects(session, namespace);
  const reader = await AuditReader.fromNow(auditLog);
  const duringCreation = Math.ceil(kills / 2);

  const createdMs = performance.now();
  await session.api.create(kinds.cluster, manifestOf(wish));
  await killAtRandom(session, around, duringCreation);
  await becomes(session, `${wish.name} runs`, RUNNING_TIMEOUT_MS, async () => isRunning(session, wish));
  const runningMs = performance.now() - createdMs;
  await pause(SETTLE_MS, session);
  const running = await readEndState(session, namespace);

  const deletedMs = performance.now();
  await remove(session, kinds.cluster, wish);
  await killAtRandom(session, around, kills - duringCreation);
  await becomes(session, `${wish.name} is gone`, GONE_TIMEOUT_MS, async () => isGone(session, wish));
  const goneMs = performance.now() - deletedMs;
  await pause(SETTLE_MS, session);
  const gone = await readEndState(session, namespace);

  await record.stop();
  const requests = await reader.next((request) => request.namespace === namespace);
  const changes = new Map([...record.watches].map(([kind, watch]) => [kind, watch.changes] as const));
  await removeRest(session, wish);
  return {
    kills,
    running,
    gone,
    runningMs,
    goneMs,
    needless: needlessWrites(requests, changes, operator.user),
    repeated: requests.filter((request) => isRepeated(request, operator.user)).map(describeObject),
  };
}

async function killAtRandom(
  session: Session,
  { operator, random }: Circumstances,
  kills: number,
): Promise<void> {
  for (let kill = 0; kill < kills; kill += 1) {
    await pause(random.next() * MAX_LIFE_MS, session);
    await operator.kill();
    await operator.start();
  }
}

interface Wish {
  readonly namespace: string;
  readonly name: string;
}

async function isRunning({ api }: Session, wish: Wish): Promise<boolean> {
  const cluster = await api.get(kinds.cluster, wish);
  const ready = cluster?.status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True";
}

async function isGone(session: Session, wish: Wish): Promise<boolean> {
  if (await session.api.get(kinds.cluster, wish)) return false;
  const pods = await podsOf(session, operatedCluster({ ...wish, replicas: 3, blockTime: "1s" }));
  // What goes with its owner goes a moment later.
  return pods.length === 0 && (await session.api.get(kinds.service, wish)) === undefined;
}

async function becomes(
  session: Session,
  what: string,
  timeoutMs: number,
  ask: () => Promise<boolean>,
): Promise<void> {
  const isSo = await pollUntil(async () => (await ask()) || undefined, { everyMs: 250, timeoutMs }, session);
  if (!isSo) throw new Error(`not within ${duration(timeoutMs)}: ${what}`);
}

/** The next life begins with new keys on new volumes. */
async function removeRest(session: Session, { namespace, name }: Wish): Promise<void> {
  const { items } = await session.api.list(kinds.claim, { namespace });
  for (const { metadata } of items) await remove(session, kinds.claim, { namespace, name: metadata.name });
  await remove(session, kinds.secret, { namespace, name: identitySecretName(name) });
  const isEmpty = async () => (await session.api.list(kinds.claim, { namespace })).items.length === 0;
  await becomes(session, "the claims are gone", GONE_TIMEOUT_MS, isEmpty);
}

function isRepeated({ user, verb, code }: AuditedRequest, operator: string): boolean {
  return user === operator && verb === "create" && code === 409;
}

const describeObject = ({ resource, name = "" }: AuditedRequest) => `${resource}/${name}`;

export function killsReport(undisturbed: Life, lives: readonly Life[], seed: number): Report {
  const row = (what: string, { kills, runningMs, goneMs, needless, repeated, running }: Life) => [
    what,
    String(kills),
    duration(runningMs),
    duration(goneMs),
    String(running.size),
    String(needless.reduce((sum, { count }) => sum + count, 0)),
    String(repeated.length),
  ];
  return {
    tables: [
      {
        title: `Lives of a cluster (seed ${seed})`,
        columns: ["", "kills", "running", "gone", "objects", "needless writes", "creations of what existed"],
        rows: [
          row("undisturbed", undisturbed),
          ...lives.map((life, index) => row(`disturbed ${index + 1}`, life)),
        ],
      },
    ],
    notes: [
      "Objects are compared without what the API server or chance decides anew: uids, versions, addresses, keys, who leads.",
    ],
    failures: [undisturbed, ...lives].flatMap((life, index) => [
      ...differences(undisturbed.running, life.running).map((text) => `life ${index}, running: ${text}`),
      ...differences(undisturbed.gone, life.gone).map((text) => `life ${index}, deleted: ${text}`),
      ...life.needless.map(
        ({ object, count }) => `life ${index}: ${count} writes of ${object} changed nothing`,
      ),
      ...life.repeated.map((object) => `life ${index}: ${object} was created although it existed`),
    ]),
    values: {
      seed,
      lives: [undisturbed, ...lives].map(({ running: _running, gone: _gone, ...life }) => life),
    },
  };
}
