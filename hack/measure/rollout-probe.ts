import { kinds } from "../../src/model/kinds.ts";
import type { Pod } from "../../src/model/objects.ts";
import { type NodeView, viewNode } from "./node-rpc.ts";
import { type Members, podsOf } from "./pods.ts";
import { type Recorded, recordChanges } from "./recorded-watch.ts";
import { pause, type Session } from "./session.ts";
import { wallMs } from "./wall-time.ts";

/** What a member answered when it was asked at this moment. */
export interface Sample extends NodeView {
  readonly atMs: number;
}

/** All that is seen of the members from outside, the same way for both sides: pods by a watch, and their own answers. */
export interface Sightings {
  readonly pods: readonly Recorded<Pod>[];
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
}

export interface RolloutProbe extends Sightings {
  stop(): Promise<void>;
}

const ASK_EVERY_MS = 100;
const SILENT: NodeView = { leads: undefined, height: undefined };

/** Asks every member ten times a second for its height and whether it leads, until it is stopped. */
export async function probeMembers(session: Session, members: Members): Promise<RolloutProbe> {
  const { namespace, selector } = members;
  const names = (await podsOf(session, members)).map(({ metadata }) => metadata.name);
  const record = await recordChanges(session, kinds.pod, { namespace, labelSelector: selector });
  const samples = new Map(names.map((name): [string, Sample[]] => [name, []]));
  const over = new AbortController();
  const askUntilOver = async ([name, seen]: [string, Sample[]]) => {
    while (!over.signal.aborted) {
      const atMs = wallMs();
      const ip = podNow(record.changes, name)?.status?.podIP;
      seen.push({ ...(ip === undefined ? SILENT : await viewNode(ip)), atMs });
      await pause(Math.max(0, atMs + ASK_EVERY_MS - wallMs()), session);
    }
  };
  const asking = Promise.all([...samples].map(askUntilOver));
  // Awaited in stop, which tells of a campaign that was stopped.
  asking.catch(() => {});
  return {
    pods: record.changes,
    samples,
    async stop() {
      over.abort();
      await record.stop();
      await asking;
    },
  };
}

/** The pod of this name as it is now; undefined while there is none. */
export function podNow(changes: readonly Recorded<Pod>[], name: string): Pod | undefined {
  const last = changes.findLast(({ object }) => object.metadata.name === name);
  return last === undefined || last.type === "DELETED" ? undefined : last.object;
}
