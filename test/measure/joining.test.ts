import { describe, expect, it } from "vitest";
import { judgeJoin } from "../../hack/measure/joining.ts";
import type { Pod } from "../../src/model/objects.ts";

const pod = (name: string, ready: boolean): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "demo" },
  status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
});
const pods = (...ready: boolean[]) => ready.map((isReady, ordinal) => pod(`seq-${ordinal}`, isReady));
const follows = (height: number) => ({ leads: false, height });
const leads = (height: number) => ({ leads: true, height });

describe("a start", () => {
  it("is over when all are Ready, one leads and all follow", () => {
    const view = judgeJoin(pods(true, true, true), [follows(9), leads(10), follows(8)], 3);
    expect(view).toEqual({ joined: true, ready: true, missing: "" });
  });

  it("has joined before the pods are Ready", () => {
    const view = judgeJoin(pods(true, true, false), [follows(9), leads(10), follows(8)], 3);
    expect(view).toEqual({ joined: true, ready: false, missing: "not Ready: seq-2" });
  });

  it.each([
    ["a pod is missing", pods(true, true), [leads(9), follows(9)], "2 of 3 pods exist"],
    [
      "a member is silent",
      pods(true, true, true),
      [leads(9), follows(9), { leads: undefined, height: 9 }],
      "1 of 3 members do not answer",
    ],
    [
      "nobody leads",
      pods(true, true, true),
      [follows(9), follows(9), follows(9)],
      "0 members say that they lead",
    ],
    ["two lead", pods(true, true, true), [leads(9), leads(9), follows(9)], "2 members say that they lead"],
    [
      "there are no blocks yet",
      pods(true, true, true),
      [leads(1), follows(1), follows(1)],
      "heights are 1, 1, 1",
    ],
    [
      "a member is far behind",
      pods(true, true, true),
      [leads(50), follows(50), follows(39)],
      "heights are 50, 50, 39",
    ],
  ])("is not over while %s", (_, seen, views, missing) => {
    expect(judgeJoin(seen, views, 3)).toEqual({ joined: false, ready: false, missing });
  });

  it("does not count a pod as Ready that is being deleted", () => {
    const [first, ...others] = pods(true, true, true);
    const leaving = {
      ...first,
      metadata: { name: "seq-0", deletionTimestamp: "2026-11-22T10:00:00Z" },
    } as Pod;
    const view = judgeJoin([leaving, ...others], [leads(9), follows(9), follows(9)], 3);
    expect(view.missing).toBe("not Ready: seq-0");
  });
});
