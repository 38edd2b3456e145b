import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type Blocker,
  conditionMeanings,
  conditionTypes,
  type Finding,
  statusOf,
} from "../../src/api/conditions.ts";

describe("conditions", () => {
  it.each<[Finding["type"], Finding["reason"], string]>([
    ["Ready", "AllMembersReady", "True"],
    ["Ready", "WaitingForLeader", "False"],
    ["Quorate", "QuorumAtRisk", "True"],
    ["Quorate", "QuorumUnknown", "Unknown"],
    ["Stalled", "SpecInvalid", "True"],
    ["ConfigValid", "SpecInvalid", "False"],
    ["Reconciling", "Converged", "False"],
  ])("%s is for reason %s %s", (type, reason, status) => {
    expect(statusOf({ type, reason, message: "" } as Finding)).toBe(status);
  });

  it("refuses a reason of another condition", () => {
    const finding = { type: "Ready", reason: "UpToDate", message: "" } as unknown as Finding;
    expect(() => statusOf(finding)).toThrow("Condition Ready has no reason UpToDate.");
  });

  it("can each be both true and false", () => {
    const oneSided = conditionMeanings.filter(
      ({ reasons }) =>
        !["True", "False"].every((status) => reasons.some((reason) => reason.status === status)),
    );
    expect(oneSided).toEqual([]);
  });

  it("fail for every reason that Stalled has", () => {
    const reasonsOf = (types: readonly string[]) =>
      conditionMeanings
        .filter(({ type }) => types.includes(type))
        .flatMap(({ reasons }) =>
          reasons.filter(({ status }) => status !== "True" || types.includes("Stalled")),
        )
        .map(({ reason }) => reason);
    const blocking = [
      ...reasonsOf([
        "ConfigValid",
        "ChainSafe",
        "VolumesReady",
        "RolloutComplete",
        "MembershipComplete",
        "Connected",
      ]),
      "NotStalled",
    ];
    expect(reasonsOf(["Stalled"]).filter((reason) => !blocking.includes(reason))).toEqual([]);
  });

  it("are given for every reason that is documented", () => {
    const folder = join(import.meta.dirname, "../../src/plan");
    const code = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
    const reasons = new Set(conditionMeanings.flatMap(({ reasons: all }) => all.map(({ reason }) => reason)));
    expect([...reasons].filter((reason) => !code.some((text) => text.includes(`"${reason}"`)))).toEqual([]);
  });

  it("fit the limits of the stored status", () => {
    const names = conditionMeanings.flatMap(({ type, reasons }) => [
      type,
      ...reasons.map(({ reason }) => reason),
    ]);
    expect(conditionTypes.length).toBeLessThanOrEqual(16);
    expect(names.filter((name) => !/^[A-Z][A-Za-z]{0,62}$/.test(name))).toEqual([]);
  });

  it("lets only failures that Stalled knows too block the operator", () => {
    const blocker: Blocker = { type: "VolumesReady", reason: "VolumeLost", message: "data-demo-0 is gone." };
    // @ts-expect-error volumes that bind are waited for, they block nothing
    const waiting: Blocker = { type: "VolumesReady", reason: "VolumesBinding", message: "" };
    expect([blocker, waiting].map(statusOf)).toEqual(["False", "False"]);
  });
});
