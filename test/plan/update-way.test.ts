import { expect, test } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import { podOf } from "../../src/model/member.ts";
import { changedPod, metadataChanges, type Template, type Way, wayOf } from "../../src/plan/update-way.ts";
import { NEW, OLD, podFrom } from "../member-traits.ts";

const before: Template = {
  metadata: {
    labels: { team: "a" },
    annotations: { [annotations.configRevision]: "r1", note: "old" },
  },
  spec: {
    initContainers: [{ name: "agent", image: "agent:1" }],
    containers: [{ name: "evnode", image: "app:1", env: [{ name: "A", value: "1" }] }],
    nodeSelector: { disk: "fast" },
  },
};

const withNotes = (notes: Record<string, string>): Template => ({
  ...before,
  metadata: { ...before.metadata, annotations: { ...before.metadata?.annotations, ...notes } },
});
const withSpec = (over: Partial<NonNullable<Template["spec"]>>): Template => ({
  ...before,
  spec: { containers: [], ...before.spec, ...over },
});
const evnode = { name: "evnode", image: "app:1", env: [{ name: "A", value: "1" }] };

interface Case {
  readonly name: string;
  readonly from?: Template | "unknown";
  readonly to: Template;
  readonly way: Way;
}

const inPlace = (...parts: Extract<Way, { kind: "inPlace" }>["parts"]): Way => ({ kind: "inPlace", parts });
const replace = (because: string): Way => ({ kind: "replace", because });

const cases: readonly Case[] = [
  { name: "nothing restarts for the same template", to: before, way: inPlace() },
  {
    name: "nor for labels and other annotations",
    to: { ...before, metadata: { ...withNotes({ note: "new" }).metadata, labels: { team: "b" } } },
    way: inPlace(),
  },
  {
    name: "another image of ev-node is put in place",
    to: withSpec({ containers: [{ ...evnode, image: "app:2" }] }),
    way: inPlace("image"),
  },
  {
    name: "so is another agent",
    to: withSpec({ initContainers: [{ name: "agent", image: "agent:2" }] }),
    way: inPlace("agent"),
  },
  {
    name: "another image of the execution client takes a new pod: ev-node has to be down when it restarts",
    from: withSpec({
      initContainers: [
        { name: "agent", image: "agent:1" },
        { name: "execution", image: "reth:1" },
      ],
    }),
    to: withSpec({
      initContainers: [
        { name: "agent", image: "agent:1" },
        { name: "execution", image: "reth:2" },
      ],
    }),
    way: replace("spec.initContainers.1.image changes"),
  },
  { name: "another config", to: withNotes({ [annotations.configRevision]: "r2" }), way: inPlace("config") },
  {
    name: "and a restart that is asked for",
    to: withNotes({ [annotations.restart]: "1" }),
    way: inPlace("restart"),
  },
  {
    name: "all of them together",
    to: {
      metadata: withNotes({ [annotations.configRevision]: "r2", [annotations.restart]: "1" }).metadata ?? {},
      spec: {
        ...before.spec,
        initContainers: [{ name: "agent", image: "agent:2" }],
        containers: [{ ...evnode, image: "app:2" }],
      },
    },
    way: inPlace("agent", "image", "config", "restart"),
  },
  {
    name: "another variable needs a new pod",
    to: withSpec({ containers: [{ ...evnode, env: [{ name: "A", value: "2" }] }] }),
    way: replace("spec.containers.0.env.0.value changes"),
  },
  {
    name: "so does one more of them",
    to: withSpec({ containers: [{ ...evnode, env: [...evnode.env, { name: "B", value: "2" }] }] }),
    way: replace("spec.containers.0.env changes"),
  },
  {
    name: "another node selector",
    to: withSpec({ nodeSelector: { disk: "slow" } }),
    way: replace("spec.nodeSelector.disk changes"),
  },
  {
    name: "and what is there no longer",
    to: { ...before, spec: { containers: [evnode], initContainers: before.spec?.initContainers ?? [] } },
    way: replace("spec.nodeSelector changes"),
  },
  {
    name: "the same fields in another order are the same",
    to: withSpec({ containers: [{ env: evnode.env, image: "app:1", name: "evnode" }] }),
    way: inPlace(),
  },
  {
    name: "nothing and null are the same",
    to: withSpec({ priorityClassName: null as never }),
    way: inPlace(),
  },
  {
    name: "what a pod of no known revision is made from is not guessed",
    from: "unknown",
    to: before,
    way: replace("its revision seq-1 is not known"),
  },
];

test.each(cases)("$name", ({ from = before, to, way }) => {
  const pod = podOf(podFrom(before, "seq-0", OLD));
  expect(wayOf(pod, from === "unknown" ? undefined : from, to, NEW)).toEqual(way);
});

test("a pod that was given a part already needs the others alone", () => {
  const pod = podOf(podFrom(withNotes({ [annotations.configRevision]: "r2" }), "seq-0", OLD));
  const to = {
    ...withNotes({ [annotations.configRevision]: "r2" }),
    spec: withSpec({ containers: [{ ...evnode, image: "app:2" }] }).spec ?? { containers: [] },
  };
  expect(wayOf(pod, before, to, NEW)).toEqual(inPlace("image"));
});

test.each([
  ["it was not restarted for yet is one to restart for", { config: "r1" }, inPlace("config")],
  ["it was restarted for already is not", { given: true as const }, inPlace()],
] as const)("a config that a pod names and %s", (_, known, way) => {
  const to = withNotes({ [annotations.configRevision]: "r2" });
  const update = JSON.stringify({ revision: "seq-of-another", at: "2026-01-01T00:00:00Z", ...known });
  const pod = podOf(
    podFrom(withNotes({ [annotations.configRevision]: "r2", [annotations.update]: update }), "seq-0", OLD),
  );
  expect(wayOf(pod, before, to, NEW)).toEqual(way);
});

test("an image is looked at on the pod itself once updates were begun on it that nobody saw the end of", () => {
  const noted = (more: object) => {
    const update = JSON.stringify({ revision: NEW, at: "2026-01-01T00:00:00Z", ...more });
    const { spec } = withSpec({ containers: [{ ...evnode, image: "app:2" }] });
    return podOf(
      podFrom({ ...withNotes({ [annotations.update]: update }), ...(spec && { spec }) }, "seq-0", OLD),
    );
  };
  expect(wayOf(noted({ over: true }), before, before, NEW)).toEqual(inPlace("image"));
  expect(wayOf(noted({}), before, before, NEW)).toEqual(inPlace());
});

test("labels and annotations of the old template that the new one lacks are taken off, and nobody else's", () => {
  const { annotations: notes, labels } = metadataChanges(before, {
    metadata: { labels: { tier: "1" }, annotations: { [annotations.configRevision]: "r2" } },
  });
  expect(notes).toEqual({ note: null, [annotations.configRevision]: "r2" });
  expect(labels).toEqual({ team: null, tier: "1" });
});

test("a changed pod is the one that was read, with its version, and nothing of field managers", () => {
  const read = podFrom(before, "seq-0", OLD);
  const object = { ...read, metadata: { ...read.metadata, managedFields: [{ manager: "kubelet" }] } };
  const changed = changedPod(podOf(object), {
    image: "app:2",
    agentImage: "agent:2",
    annotations: { note: null, [annotations.configRevision]: "r2" },
    labels: { team: "b" },
  });
  expect(changed).toEqual({
    ...read,
    metadata: {
      ...read.metadata,
      labels: { ...read.metadata.labels, team: "b" },
      annotations: { [annotations.configRevision]: "r2" },
    },
    spec: {
      ...read.spec,
      initContainers: [{ name: "agent", image: "agent:2" }],
      containers: [{ ...evnode, image: "app:2" }],
    },
  });
});
