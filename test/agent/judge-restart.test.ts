import { expect, test } from "vitest";
import { judgeRestart, type RestartVerdict } from "../../src/agent/judge-restart.ts";
import type { RestartRecord } from "../../src/agent/restart-record.ts";

const wanted = { token: "two", revision: "aaaa" };
const before: RestartRecord = { token: "one" };
const begun: RestartRecord = { ...before, begun: { ...wanted, processes: ["7 started at 1"] } };
const done: RestartVerdict = { kind: "done", record: { token: "two" } };
const ofOthers = (changes: object): RestartRecord => ({
  ...before,
  begun: { ...wanted, processes: ["6 started at 0"], ...changes },
});

const cases: readonly [title: string, record: RestartRecord, running: readonly string[], RestartVerdict][] = [
  ["with no process the next start reads the config anyway", before, [], done],
  [
    "the process that runs has to end, and is noted first",
    before,
    ["7 started at 1"],
    { kind: "end", record: begun },
  ],
  ["one that was noted is asked until it ends", begun, ["7 started at 1"], { kind: "end", record: begun }],
  ["one that was noted and ended is enough", begun, [], done],
  ["one that came after it is left alone", begun, ["9 started at 5"], done],
  ["one that came after it with the same pid is left alone", begun, ["7 started at 5"], done],
  [
    "a restart that was begun for another token is another one",
    ofOthers({ token: "three" }),
    ["7 started at 1"],
    { kind: "end", record: begun },
  ],
  [
    "a restart that was begun before the config changed again is another one",
    ofOthers({ revision: "bbbb" }),
    ["7 started at 1"],
    { kind: "end", record: begun },
  ],
];

test.each(cases)("%s", (_, record, running, verdict) => {
  expect(judgeRestart(record, wanted, running)).toEqual(verdict);
});
