import { parse, stringify } from "yaml";
import type { RaftTiming } from "../../src/evnode/raft-timing.ts";
import { kinds } from "../../src/model/kinds.ts";
import { testnodeImages } from "../local-cluster/image-names.ts";
import { ChainSurvey } from "./chain-survey.ts";
import { started } from "./joining.ts";
import { manifestOf, operatedCluster, removeCluster } from "./operated-cluster.ts";
import type { Members } from "./pods.ts";
import type { Session } from "./session.ts";
import {
  createYardstick,
  newYardstick,
  removeYardstick,
  type YardstickCluster,
} from "./yardstick-cluster.ts";

/** `config` is the log level; `replace` the time that a pod gets to end, which no running pod can be given. */
export const changeKinds = ["image", "config", "replace"] as const;
export type ChangeKind = (typeof changeKinds)[number];

export type SideName = "operator" | "StatefulSet";
export type Replicas = 3 | 5;

export const BLOCK_TIME_MS = 200;
const BLOCK_TIME = `${BLOCK_TIME_MS}ms`;
const START_TIMEOUT_MS = 240_000;

/** Where a side is made, and with which Raft time-outs. */
export interface SideWish {
  readonly namespace: string;
  readonly replicas: Replicas;
  /** Which one of its kind it is in its namespace. */
  readonly index: number;
  readonly timing: RaftTiming;
  /** Of the operator's rollouts, instead of `Auto`. */
  readonly mode?: "Plan";
}

/** A running cluster whose members are rolled. */
export interface Side {
  readonly name: SideName;
  readonly replicas: Replicas;
  /** Of the StatefulSet, which has the cluster's name on both sides. */
  readonly statefulSet: { readonly namespace: string; readonly name: string };
  readonly members: Members;
  /** What was ever served of this chain. */
  readonly survey: ChainSurvey;
  /** Writes the next change of this kind, as its owner does. */
  change(kind: ChangeKind): Promise<void>;
  remove(): Promise<void>;
}

/** The values that a change goes to and fro between. */
class Turns {
  readonly #counts = new Map<ChangeKind, number>();

  next<T>(kind: ChangeKind, [first, second]: readonly [T, T]): T {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    return count % 2 === 1 ? second : first;
  }
}

const logLevels = ["info", "warn"] as const;

export async function operatedSide(
  session: Session,
  { namespace, replicas, index, timing, mode }: SideWish,
): Promise<Side> {
  const name = `ours-${replicas}-${index}`;
  const about = { namespace, name, replicas, blockTime: BLOCK_TIME, raftTiming: timing };
  const wish = { ...about, ...(mode && { mode }) };
  const members = operatedCluster(wish);
  await session.api.create(kinds.cluster, manifestOf(wish));
  await started(session, members, START_TIMEOUT_MS);
  const turns = new Turns();
  const specs = {
    image: () => ({ image: turns.next("image", testnodeImages) }),
    config: () => ({ log: { level: turns.next("config", logLevels) } }),
    replace: () => ({ pod: { terminationGracePeriodSeconds: turns.next("replace", [45, 46]) } }),
  };
  return {
    name: "operator",
    replicas,
    statefulSet: wish,
    members,
    survey: new ChainSurvey(replicas),
    change: async (kind) => patchNow(session, kinds.cluster, wish, { spec: specs[kind]() }),
    remove: async () => removeCluster(session, members),
  };
}

export async function yardstickSide(
  session: Session,
  { namespace, replicas, index, timing }: SideWish,
): Promise<Side> {
  const name = `theirs-${replicas}-${index}`;
  const yardstick = await newYardstick(namespace, name, replicas, BLOCK_TIME, timing);
  await createYardstick(session, yardstick);
  await started(session, yardstick, START_TIMEOUT_MS);
  const turns = new Turns();
  const toTemplate = async (template: object) =>
    patchNow(session, kinds.statefulSet, yardstick, { spec: { template } });
  const changes = {
    image: async () => setImage(session, yardstick, turns.next("image", testnodeImages)),
    // A changed Secret alone restarts nothing; the annotation makes the StatefulSet roll.
    config: async () => {
      const level = turns.next("config", logLevels);
      await setLogLevel(session, yardstick, level);
      await toTemplate({ metadata: { annotations: { "log-level": level } } });
    },
    replace: async () =>
      toTemplate({ spec: { terminationGracePeriodSeconds: turns.next("replace", [30, 31]) } }),
  };
  return {
    name: "StatefulSet",
    replicas,
    statefulSet: yardstick,
    members: yardstick,
    survey: new ChainSurvey(replicas),
    change: async (kind) => changes[kind](),
    remove: async () => removeYardstick(session, yardstick),
  };
}

/** Patches an object as it is now, as a person does. */
export async function patchNow(
  { api }: Session,
  kind: typeof kinds.cluster | typeof kinds.statefulSet,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  patch: Readonly<Record<string, unknown>>,
): Promise<void> {
  const ref = { namespace, name };
  const found =
    kind === kinds.cluster ? await api.get(kinds.cluster, ref) : await api.get(kinds.statefulSet, ref);
  if (!found) throw new Error(`${kind.kind} ${name} is not there`);
  await api.patch<typeof found>(kind, ref, patch, { uid: found.metadata.uid ?? "" });
}

async function setImage(
  { api }: Session,
  { namespace, name }: YardstickCluster,
  image: string,
): Promise<void> {
  const set = await api.get(kinds.statefulSet, { namespace, name });
  const { spec } = set?.spec?.template ?? {};
  if (!set?.spec || !spec) throw new Error(`StatefulSet ${name} is not there`);
  const containers = spec.containers.map((container) => ({ ...container, image }));
  const template = { ...set.spec.template, spec: { ...spec, containers } };
  await api.replace(kinds.statefulSet, { ...set, spec: { ...set.spec, template } });
}

async function setLogLevel(
  { api }: Session,
  { namespace, name }: YardstickCluster,
  level: string,
): Promise<void> {
  const secret = await api.get(kinds.secret, { namespace, name });
  if (!secret) throw new Error(`Secret ${name} is not there`);
  const files = Object.entries(secret.data ?? {}).map(([file, text]) => [
    file,
    file.endsWith(".yaml") ? withLogLevel(text, level) : text,
  ]);
  await api.replace(kinds.secret, { ...secret, data: Object.fromEntries(files) as Record<string, string> });
}

function withLogLevel(base64: string, level: string): string {
  const config = parse(Buffer.from(base64, "base64").toString("utf8")) as { readonly log: object };
  const changed = stringify({ ...config, log: { ...config.log, level } });
  return Buffer.from(changed).toString("base64");
}
