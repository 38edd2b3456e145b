import { appendFile, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  AuditReader,
  countBy,
  describeRequest,
  isWrite,
  parseAuditLine,
} from "../../hack/measure/audit-log.ts";
import { audited } from "./audited.ts";

const line = (over: object = {}) =>
  JSON.stringify({
    stage: "ResponseComplete",
    verb: "update",
    requestURI: "/apis/evnode.dev/v1alpha1/namespaces/demo/evnodeclusters/seq/status",
    user: { username: "operator" },
    objectRef: { resource: "evnodeclusters", subresource: "status", namespace: "demo", name: "seq" },
    responseStatus: { code: 200 },
    requestReceivedTimestamp: "2026-11-22T10:00:00.000000Z",
    stageTimestamp: "2026-11-22T10:00:00.250000Z",
    ...over,
  });

describe("a line of the audit log", () => {
  it("is a request with its times", () => {
    expect(parseAuditLine(line())).toEqual({
      user: "operator",
      verb: "update",
      resource: "evnodeclusters",
      subresource: "status",
      namespace: "demo",
      name: "seq",
      code: 200,
      receivedMs: Date.UTC(2026, 10, 22, 10),
      finishedMs: Date.UTC(2026, 10, 22, 10) + 250,
      isDryRun: false,
    });
  });

  it.each(["", line({ stage: "ResponseStarted" })])(
    "is nothing before the request is finished: %s",
    (text) => {
      expect(parseAuditLine(text)).toBeUndefined();
    },
  );

  it.each([
    [audited({ verb: "patch" }), true],
    [audited({ verb: "create", resource: "tokenreviews" }), false],
    [audited({ verb: "create", isDryRun: true }), false],
    [audited({ verb: "watch" }), false],
    [audited({ verb: "delete" }), true],
  ])("is a write or not: %o", (request, expected) => {
    expect(isWrite(request)).toBe(expected);
  });

  it("sees a dry run in the address", () => {
    expect(parseAuditLine(line({ requestURI: "/api/v1/pods?dryRun=All" }))?.isDryRun).toBe(true);
  });
});

describe("reading a log that grows", () => {
  let folder = "";
  let file = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "audit-log-"));
    file = join(folder, "audit.log");
    await writeFile(file, `${line({ verb: "delete" })}\n`);
  });
  afterEach(async () => rm(folder, { recursive: true }));

  it("begins at the moment of opening and gives every line once", async () => {
    const reader = await AuditReader.fromNow(file);
    await appendFile(file, `${line()}\n${line({ verb: "patch" })}\n`);
    expect((await reader.next(() => true)).map(({ verb }) => verb)).toEqual(["update", "patch"]);
    expect(await reader.next(() => true)).toEqual([]);
  });

  it("puts a line together that was written in two parts", async () => {
    const reader = await AuditReader.fromNow(file);
    const text = line({ user: { username: "opérateur" } });
    const bytes = Buffer.from(`${text}\n`);
    await appendFile(file, bytes.subarray(0, bytes.indexOf("é") + 1));
    expect(await reader.next(() => true)).toEqual([]);
    await appendFile(file, bytes.subarray(bytes.indexOf("é") + 1));
    expect((await reader.next(() => true)).map(({ user }) => user)).toEqual(["opérateur"]);
  });

  it("gives only what is wanted", async () => {
    const reader = await AuditReader.fromNow(file);
    await appendFile(file, `${line()}\n${line({ user: { username: "kubelet" } })}\n`);
    expect(await reader.next(({ user }) => user === "kubelet")).toHaveLength(1);
  });

  it("says that a log was rotated away, rather than count too little", async () => {
    const reader = await AuditReader.fromNow(file);
    await truncate(file, 10);
    await expect(reader.next(() => true)).rejects.toThrow("the audit log was rotated while it was read");
  });
});

it("counts requests by what they ask, the most frequent first", () => {
  const requests = [
    audited({ verb: "get" }),
    audited({ verb: "patch" }),
    audited({ verb: "patch", subresource: "status" }),
  ];
  expect(countBy([...requests, audited({ verb: "patch" })], describeRequest)).toEqual([
    ["patch pods", 2],
    ["get pods", 1],
    ["patch pods/status", 1],
  ]);
});
