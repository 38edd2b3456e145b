import { beforeEach, expect, test } from "vitest";
import { Events } from "../../src/act/events.ts";
import { KubeError } from "../../src/kube/errors.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { Event } from "../../src/model/objects.ts";
import type { Notice } from "../../src/plan/notices.ts";
import { cluster, UID } from "../builders.ts";
import { MemoryApi } from "../fake/memory-api.ts";
import { seededRandom } from "../runtime/seeded-random.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";

const notice = (note: string): Notice => ({ type: "Normal", reason: "Done", action: "Reconcile", note });

let api: MemoryApi;
let clock: VirtualClock;
let lost: string[];
let events: Events;

beforeEach(() => {
  api = new MemoryApi();
  clock = new VirtualClock();
  lost = [];
  const onLost = (why: string) => lost.push(why);
  events = new Events({ api, clock, random: seededRandom(1), instance: "operator-0", onLost });
});

const told = () => api.all().filter((object): object is Event => object.kind === kinds.event.kind);

test("an event says who tells what about which object, and when to the microsecond", async () => {
  await events.tell(cluster(), [notice("It is done.")]);
  expect(told()).toEqual([
    {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: {
        name: expect.stringMatching(/^seq\.[0-9a-f]{16}$/) as unknown,
        namespace: "rollup",
        uid: expect.any(String) as unknown,
        resourceVersion: expect.any(String) as unknown,
        creationTimestamp: expect.any(String) as unknown,
      },
      eventTime: "2030-01-01T00:00:00.000000Z",
      reportingController: "evnode.dev/evnode-operator",
      reportingInstance: "operator-0",
      type: "Normal",
      reason: "Done",
      action: "Reconcile",
      note: "It is done.",
      regarding: {
        apiVersion: "evnode.dev/v1alpha1",
        kind: "EvNodeCluster",
        name: "seq",
        namespace: "rollup",
        uid: UID,
        resourceVersion: "7",
      },
    },
  ]);
});

test("every event has a name of its own", async () => {
  await events.tell(cluster(), [notice("a"), notice("a")]);
  expect(new Set(told().map(({ metadata }) => metadata.name)).size).toBe(2);
});

test.each<[string, string, string]>([
  ["as long as is allowed", "x".repeat(1_024), "x".repeat(1_024)],
  ["longer", "x".repeat(1_025), `${"x".repeat(1_023)}…`],
])("a note that is %s", async (_, note, written) => {
  await events.tell(cluster(), [notice(note)]);
  expect(told()[0]?.note).toBe(written);
});

test("an event that cannot be written is lost, and the next is told", async () => {
  api.fault = ({ body }) =>
    (body as Event).note === "a" ? new KubeError("Forbidden", "no events here") : undefined;
  await events.tell(cluster(), [notice("a"), notice("b")]);
  expect(lost).toEqual(["no events here"]);
  expect(told().map(({ note }) => note)).toEqual(["b"]);
});

test("a cluster may tell 60 things at once, and six a minute after that, whatever the others tell", async () => {
  const many = Array.from({ length: 62 }, (_, n) => notice(`${n}`));
  await events.tell(cluster(), many);
  expect(told()).toHaveLength(60);
  expect(lost).toEqual(["too many events about rollup/seq", "too many events about rollup/seq"]);

  await events.tell(cluster({ metadata: { name: "other" } }), [notice("a")]);
  expect(told()).toHaveLength(61);
  await clock.advance(9_999);
  await events.tell(cluster(), [notice("too early")]);
  await clock.advance(1);
  await events.tell(cluster(), [notice("in time"), notice("too many")]);
  expect(told().at(-1)?.note).toBe("in time");
  expect(told()).toHaveLength(62);
});

test("a cluster that is gone leaves nothing behind", async () => {
  const many = Array.from({ length: 60 }, (_, n) => notice(`${n}`));
  await events.tell(cluster(), many);
  events.forget("rollup/seq");
  await events.tell(cluster(), [notice("a cluster of the same name")]);
  expect(told()).toHaveLength(61);
});
