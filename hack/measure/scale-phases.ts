import type { MergePatch } from "../../src/kube/api.ts";
import { type Kind, kinds } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import type { StatefulSet } from "../../src/model/objects.ts";
import { say } from "../local-cluster/progress.ts";
import { type AuditedRequest, AuditReader } from "./audit-log.ts";
import type { ControlPlane } from "./control-plane.ts";
import { whenSoMany } from "./follow-objects.ts";
import { FEW, inLanes } from "./lanes.ts";
import { memoryOf, type OperatorProcess, processorOf } from "./operator-process.ts";
import { measureRestart, type Restart } from "./operator-restart.ts";
import type { Memory } from "./process-memory.ts";
import { pause, type Session } from "./session.ts";
import { wallMs } from "./wall-time.ts";

/** Where one operator is measured with one number of clusters. */
export interface Place {
  readonly session: Session;
  readonly plane: ControlPlane;
  readonly clusters: number;
  /** The namespace of the cluster with this number. */
  readonly namespaceOf: (number: number) => string;
}

/** An operator with its kind of clusters. */
export interface Side {
  readonly name: string;
  readonly operator: OperatorProcess;
  /** How the name ends of a Secret that each reconcile of a cluster reads from the server. */
  readonly secretSuffix: string;
  /** Writes all clusters. */
  readonly create: () => Promise<void>;
  /** Answers once all are there as they will stay. */
  readonly settle: () => Promise<void>;
  /** What its clusters are. */
  readonly kind: Kind<KubeObject>;
  /** A merge patch of one field, for which no member has to be restarted. */
  readonly change: MergePatch;
  readonly isChanged: (statefulSet: StatefulSet) => boolean;
  /** Throws when something failed that all depends on. */
  readonly check: () => Promise<void>;
}

export interface Times {
  readonly settleMs: number;
  readonly quietMs: number;
}

export interface Creation {
  /** From the first create until the operator had created the last object of the last cluster. */
  readonly childrenMs: number;
  readonly settledMs: number;
  /** What the operator used of the processor until all were settled. */
  readonly processorMs: number;
  /** Of the operator, from the first create until all were settled. */
  readonly creation: readonly AuditedRequest[];
  /** Some time after that. */
  readonly memory: Memory;
}

export interface Phases extends Creation {
  /** Of the operator, in the quiet time after its clusters were created. */
  readonly quiet: readonly AuditedRequest[];
  readonly quietProcessorMs: number;
  /** What the operator told Prometheus at the end of the quiet time. */
  readonly metrics: string;
  readonly restart: Restart;
  /** From the first edit until every StatefulSet had it. */
  readonly changedMs: number | undefined;
}

/** For each cluster: the machine may be busy. */
const THERE_TIMEOUT_MS = 60_000;
const CHANGED_TIMEOUT_MS = 1_800_000;
const LOOK_MS = 250;

/** The first of the phases alone. */
export async function measureCreation(place: Place, side: Side, times: Times): Promise<Creation> {
  return created(await start(place, side), times);
}

/** The same for every operator. */
export async function measurePhases(place: Place, side: Side, times: Times): Promise<Phases> {
  const scene = await start(place, side);
  const { session, reader, clusters } = scene;
  const { operator, secretSuffix } = side;
  const creation = await created(scene, times);
  const quiet = await measureQuiet(scene, times);
  const metrics = await operator.metrics();
  const afterMs = times.quietMs;
  const restart = await measureRestart(session, { operator, reader, clusters, secretSuffix, afterMs });
  say(`${side.name}: restarted with ${clusters} clusters; changing all of them`);
  const changedMs = await measureChange(scene);
  await side.check();
  return { ...creation, ...quiet, metrics, restart, changedMs };
}

interface Scene {
  readonly session: Session;
  readonly reader: AuditReader;
  readonly side: Side;
  readonly clusters: number;
}

async function start({ session, plane, clusters }: Place, side: Side): Promise<Scene> {
  await side.operator.start();
  return { session, clusters, side, reader: await AuditReader.fromNow(plane.auditLog) };
}

/** The operator makes an object of a cluster. */
const isChild = ({ verb, resource, code, subresource }: AuditedRequest) =>
  verb === "create" && subresource === undefined && code < 300 && !["events", "leases"].includes(resource);

async function created({ session, reader, side, clusters }: Scene, { settleMs }: Times): Promise<Creation> {
  const { operator, name } = side;
  const own = ({ user }: AuditedRequest) => user === operator.user;
  const processorBeforeMs = await processorOf(operator);
  const startMs = wallMs();
  await side.create();
  await side.settle();
  const settledMs = wallMs() - startMs;
  const processorMs = (await processorOf(operator)) - processorBeforeMs;
  const creation = await reader.next(own);
  say(`${name}: all ${clusters} clusters are there`);
  await pause(settleMs, session);
  const later = await reader.next(own);
  const children = [...creation, ...later].filter(isChild);
  const childrenMs = Math.max(...children.map((one) => one.finishedMs)) - startMs;
  return { childrenMs, settledMs, processorMs, creation, memory: await memoryOf(operator) };
}

async function measureQuiet({ session, reader, side: { operator } }: Scene, { quietMs }: Times) {
  const processorBeforeMs = await processorOf(operator);
  await pause(quietMs, session);
  const quiet = await reader.next(({ user }) => user === operator.user);
  return { quiet, quietProcessorMs: (await processorOf(operator)) - processorBeforeMs };
}

async function measureChange({ session, side, clusters }: Scene): Promise<number | undefined> {
  const startMs = performance.now();
  const { atMs } = await whenSoMany(
    session,
    {
      kind: kinds.statefulSet,
      scope: {},
      count: clusters,
      holds: side.isChanged,
      check: side.check,
      everyMs: LOOK_MS,
      timeoutMs: CHANGED_TIMEOUT_MS,
    },
    async () => {
      const { items } = await session.api.list(side.kind, {});
      await inLanes(FEW, items, async ({ metadata: { namespace = "", name, uid = "" } }) => {
        await session.api.patch(side.kind, { namespace, name }, side.change, { uid });
      });
    },
  );
  return atMs && atMs - startMs;
}

/** Of clusters whose members nobody runs: each has its StatefulSet. Other objects may still be missing for a moment. */
export async function allStatefulSets(
  { session, clusters }: Place,
  check: () => Promise<void>,
): Promise<void> {
  const timeoutMs = THERE_TIMEOUT_MS * clusters;
  const { atMs, seen } = await whenSoMany(session, {
    kind: kinds.statefulSet,
    scope: {},
    count: clusters,
    holds: () => true,
    check,
    everyMs: LOOK_MS,
    timeoutMs,
  });
  if (atMs === undefined)
    throw new Error(`${seen} of ${clusters} StatefulSets are there after ${timeoutMs} ms`);
}
