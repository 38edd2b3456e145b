import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Reflector } from "../../src/kube/reflector.ts";
import { Store } from "../../src/kube/store.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { Pod } from "../../src/model/objects.ts";
import { seededRandom } from "../runtime/seeded-random.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { HistoryServer } from "./history-server.ts";

type Step = (server: HistoryServer, clock: VirtualClock) => void | Promise<void>;

const name = fc.constantFrom("a", "b", "c", "d", "e");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: name.map(
      (key): Step =>
        (server) =>
          server.put(key),
    ),
  },
  {
    weight: 3,
    arbitrary: name.map(
      (key): Step =>
        (server) =>
          server.remove(key),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((server) => server.compact()) },
  {
    weight: 3,
    arbitrary: fc.constantFrom("closed" as const, "broken" as const, "mute" as const).map(
      (end): Step =>
        (server) =>
          server.disturb(end),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 4 }).map(
      (times): Step =>
        (server) => {
          server.listFaults += times;
        },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(0, 500, 3_000, 40_000, 200_000).map(
      (ms): Step =>
        (_, clock) =>
          clock.advance(ms),
    ),
  },
);

/** Follows the changes that are told, and refuses those that do not fit what was told before. */
function follower() {
  const known = new Map<string, Pod>();
  const store = new Store<Pod>({
    label: "cluster",
    onListenerError: (error) => {
      throw error;
    },
  });
  store.subscribe((change) => {
    const { name: key, uid } = change.object.metadata;
    const before = known.get(key);
    if ((change.kind === "added") !== (before === undefined))
      throw new Error(`${change.kind} ${key} out of turn`);
    if (before !== undefined && before.metadata.uid !== uid) throw new Error(`${key} became another object`);
    if (change.kind === "removed") known.delete(key);
    else known.set(key, change.object);
  });
  return { store, known };
}

describe("a reflector of a server with faults", () => {
  it("holds in the end what the server holds, and has told every change in turn", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), fc.integer(), async (steps, seed) => {
        const clock = new VirtualClock();
        const server = new HistoryServer();
        const { store, known } = follower();
        const stop = new AbortController();
        const ended = new Reflector<Pod>({
          api: server.api,
          kind: kinds.pod,
          store,
          clock,
          random: seededRandom(seed),
          onFailure: () => {},
        }).run(stop.signal);
        for (const run of steps) await run(server, clock);
        // A mute stream is given up after 150 s; failing lists may follow.
        await clock.advance(600_000);
        const byName = (pods: Iterable<Pod>) => new Map([...pods].map((item) => [item.metadata.name, item]));
        expect(byName(store.all())).toEqual(byName(server.objects.values()));
        expect(known).toEqual(byName(store.all()));
        stop.abort();
        await ended;
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
