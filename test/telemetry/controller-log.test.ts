import { beforeEach, describe, expect, test } from "vitest";
import type { Outcome } from "../../src/act/act.ts";
import { KubeError } from "../../src/kube/errors.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { Secret } from "../../src/model/objects.ts";
import type { Action } from "../../src/plan/actions.ts";
import type { Controller, Finished } from "../../src/runtime/controller.ts";
import { logFinished, logOutcome, stuck } from "../../src/telemetry/controller-log.ts";
import type { Logger } from "../../src/telemetry/log.ts";
import { claim, member, pod } from "../builders.ts";

let lines: [level: string, fields: object, message: string][];
let log: Logger;

beforeEach(() => {
  lines = [];
  const at = (level: string) => (fields: object, message: string) => lines.push([level, fields, message]);
  log = { info: at("info"), warn: at("warn"), error: at("error") } as unknown as Logger;
});

const secret: Secret = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "seq-config" },
  data: { "seq-0.r1.yaml": "dG9wIHNlY3JldA==" },
};
const done = (...actions: readonly Action[]): Outcome => ({
  done: actions.map((action) => ({ by: "converge", action })),
  failures: [],
  bugs: [],
});
const seq1 = member(1);

describe("what was written", () => {
  test.each<[string, Action, object]>([
    [
      "an object",
      { kind: "create", resource: kinds.secret, object: secret },
      { object: "Secret/seq-config" },
    ],
    [
      "an object that was put back",
      { kind: "replace", resource: kinds.secret, object: secret, why: "data" },
      { object: "Secret/seq-config", why: "data" },
    ],
    [
      "an order",
      { kind: "order", member: seq1, pod: pod("seq-1"), order: { id: "start-1", kind: "start", epoch: 1 } },
      { member: "seq-1", order: "start-1" },
    ],
    [
      "a label",
      { kind: "labelPod", member: seq1, pod: pod("seq-1"), labels: { a: null }, why: "x" },
      { member: "seq-1", labels: { a: null }, why: "x" },
    ],
    [
      "a mark",
      { kind: "markClaim", member: seq1, claim: claim(1), epoch: 1 },
      { claim: "data-seq-1", epoch: 1 },
    ],
    ["an identity", { kind: "createIdentity" }, {}],
    [
      "an approval that is over",
      { kind: "endApproval", member: "seq-1", because: "used" },
      { member: "seq-1", because: "used" },
    ],
  ])("%s is named, never its content", (_, action, fields) => {
    logOutcome(log, "rollup/seq", done(action));
    expect(lines).toEqual([["info", { cluster: "rollup/seq", by: "converge", ...fields }, action.kind]]);
    expect(JSON.stringify(lines)).not.toContain("dG9wIHNlY3JldA==");
  });

  test("what was refused is a warning, with the server's words", () => {
    const action: Action = { kind: "create", resource: kinds.secret, object: secret };
    const error = new KubeError("Forbidden", "cannot create Secret rollup/seq-config: quota");
    logOutcome(log, "rollup/seq", { done: [], failures: [{ by: "converge", action, error }], bugs: [] });
    expect(lines).toEqual([
      [
        "warn",
        {
          cluster: "rollup/seq",
          by: "converge",
          object: "Secret/seq-config",
          refused: "Forbidden",
          reason: "cannot create Secret rollup/seq-config: quota",
        },
        "create",
      ],
    ]);
  });
});

test("a bug is an error, with the write that it ended", () => {
  const error = new TypeError("x is undefined");
  const action: Action = { kind: "create", resource: kinds.secret, object: secret };
  logOutcome(log, "rollup/seq", { done: [], failures: [], bugs: [{ by: "converge", action, error }] });
  expect(lines).toEqual([
    ["error", { cluster: "rollup/seq", by: "converge", object: "Secret/seq-config", err: error }, "create"],
  ]);
});

describe("how a reconcile ended", () => {
  const error = new Error("no");
  test.each<[Finished, typeof lines]>([
    [{ kind: "done", recheckAfterMs: 1 }, []],
    [{ kind: "stopped" }, []],
    [
      { kind: "retry", error, delayMs: 5 },
      [["info", { cluster: "c", reason: "no", delayMs: 5 }, "reconcile is tried again"]],
    ],
    [
      { kind: "bug", error, delayMs: 5 },
      [["error", { cluster: "c", err: error, delayMs: 5 }, "reconcile failed unexpectedly"]],
    ],
    [{ kind: "deadline", delayMs: 5 }, [["error", { cluster: "c", delayMs: 5 }, "reconcile took too long"]]],
  ])("%o", (how, told) => {
    logFinished(log, "c", how);
    expect(lines).toEqual(told);
  });

  test.each([
    [299_999, []],
    [300_000, ["the reconcile of rollup/seq has run for 300 s"]],
  ])("one that has run for %d ms: %o", (oldestRunningMs, found) => {
    const stats = () => ({ running: 1, oldestRunningMs, oldestRunningKey: "rollup/seq", bugs: 0 });
    expect(stuck({ stats } as unknown as Controller)).toEqual(found);
  });
});
