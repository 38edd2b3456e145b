import { describe, expect, it } from "vitest";
import { answerOf, type MemberState, newMember, obey, run } from "../../hack/measure/simulated/member.ts";
import { statusOf } from "../../hack/measure/simulated/pod.ts";
import { agentAnswerSchema, type Order } from "../../src/model/agent-protocol.ts";

const facts = {
  name: "seq-0",
  ordinal: 0,
  podUid: "uid-0",
  peers: ["seq-1", "seq-2"],
  clusterId: "cluster",
  configRevision: "0123456789",
  daNamespace: "simulated",
};
const moment = { version: "uid-0.1", height: 7, timeMs: 1_000 };
const text = (order: Order) => JSON.stringify(order);
const bootstrap = text({ id: "bootstrap-1", kind: "bootstrap", epoch: 1, voters: [] });
const start = text({ id: "start-1", kind: "start", epoch: 1 });

describe("a simulated member", () => {
  it("comes up by the two orders, in this order", () => {
    const bootstrapped = obey(newMember, bootstrap);
    expect(bootstrapped).toEqual({ stage: "bootstrapped", epoch: 1, executedOrder: "bootstrap-1" });
    const started = obey(bootstrapped, start);
    expect(started).toEqual({ stage: "started", epoch: 1, executedOrder: "start-1" });
    expect(run(started).stage).toBe("running");
  });

  it.each([
    ["no order", newMember, undefined],
    ["a start on an empty volume", newMember, start],
    ["the same order twice", obey(newMember, bootstrap), bootstrap],
    ["a bootstrap of a started member", obey(obey(newMember, bootstrap), start), bootstrap],
  ])("does nothing on %s", (_, state, order) => {
    expect(obey(state, order)).toBe(state);
  });

  it("does not run before it was started", () => {
    expect(run(newMember)).toBe(newMember);
  });

  const stages: readonly MemberState[] = [
    newMember,
    obey(newMember, bootstrap),
    obey(obey(newMember, bootstrap), start),
    run(obey(obey(newMember, bootstrap), start)),
  ];

  it.each(stages)("answers in the agents' protocol when $stage", (state) => {
    const answer = answerOf(facts, state, moment);
    expect(agentAnswerSchema.parse(answer)).toEqual(answer);
  });

  it("leads with ordinal 0 and follows with every other", () => {
    const running = stages.at(-1) ?? newMember;
    expect(answerOf(facts, running, moment).node).toMatchObject({ kind: "open", isLeader: true, height: 7 });
    expect(answerOf({ ...facts, ordinal: 2 }, running, moment).node).toMatchObject({ isLeader: false });
  });

  it.each([
    ["empty", "Pending", "False"],
    ["bootstrapped", "Pending", "False"],
    ["started", "Running", "False"],
    ["running", "Running", "True"],
  ] as const)("has a pod that is %s and so %s, Ready %s", (stage, phase, ready) => {
    const status = statusOf("127.88.0.1", { stage, epoch: 1, executedOrder: undefined });
    expect(status.phase).toBe(phase);
    expect(status.conditions?.find(({ type }) => type === "Ready")?.status).toBe(ready);
  });
});
