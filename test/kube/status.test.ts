import { describe, expect, it } from "vitest";
import { isRetryable, KubeError, toKubeError } from "../../src/kube/errors.ts";
import { refusalToError, saysObjectIsGone, statusToError } from "../../src/kube/status.ts";
import { statusBody } from "./api-server.ts";

const asked = { verb: "patch", kind: "Pod", name: "default/node-0" };

function refusal(code: number, reason: string, message = "text of the server", details: object = {}) {
  return { status: code, body: JSON.stringify(statusBody(code, reason, message, details)) };
}

describe("what a refusal means", () => {
  it.each([
    [400, "BadRequest", "BadRequest", false],
    [401, "Unauthorized", "Unauthorized", false],
    [403, "Forbidden", "Forbidden", false],
    [404, "NotFound", "NotFound", true],
    [405, "MethodNotAllowed", "BadRequest", false],
    [409, "AlreadyExists", "AlreadyExists", true],
    [409, "Conflict", "Conflict", true],
    [410, "Expired", "Expired", true],
    [410, "Gone", "Expired", true],
    [413, "RequestEntityTooLarge", "BadRequest", false],
    [415, "UnsupportedMediaType", "BadRequest", false],
    [422, "Invalid", "Invalid", false],
    [429, "TooManyRequests", "Throttled", true],
    [500, "InternalError", "Unavailable", true],
    [500, "ServerTimeout", "Timeout", true],
    [500, "", "Unknown", false],
    [502, "", "Unavailable", true],
    [503, "ServiceUnavailable", "Unavailable", true],
    [504, "Timeout", "Timeout", true],
    [302, "", "Unknown", false],
  ])("%i %s is %s (retryable: %s)", (code, reason, kind, retryable) => {
    const error = refusalToError(refusal(code, reason), asked);
    expect(error).toMatchObject({ kind, status: code, reason: reason === "" ? undefined : reason });
    expect(isRetryable(error)).toBe(retryable);
  });

  it.each([
    ["etcdserver: leader changed", "Unavailable"],
    ["etcdserver: request timed out", "Unavailable"],
    ["rpc error: code = Unavailable desc = transport is closing", "Unavailable"],
    [
      "failed to create typed patch object (default/a; /v1, Kind=A): .spec.x: field not declared in schema",
      "Unknown",
    ],
  ])("a 500 without a reason that says '%s' is %s", (message, kind) => {
    expect(refusalToError(refusal(500, "", message), asked).kind).toBe(kind);
  });

  it("says what was asked and what the server answered", () => {
    expect(refusalToError(refusal(409, "Conflict", "the object has been modified"), asked).message).toBe(
      "cannot patch Pod default/node-0: 409 Conflict: the object has been modified",
    );
  });

  it("keeps the text of something that is not an API server, shortened", () => {
    const body = `<html>Bad Gateway ${"x".repeat(5_000)}</html>`;
    const error = refusalToError({ status: 502, body }, asked);
    expect(error.message).toMatch(/^cannot patch Pod default\/node-0: 502: <html>Bad Gateway x+…$/);
    expect(error.message.length).toBeLessThan(1_100);
  });

  it("keeps the causes with their fields", () => {
    const causes = [{ field: "spec.replicas", reason: "FieldValueInvalid", message: "must be odd" }];
    expect(refusalToError(refusal(422, "Invalid", "no", { causes }), asked).details).toEqual(causes);
  });

  it.each([
    ["from the header", { retryAfter: "3" }, {}, 3_000],
    ["from the details", {}, { retryAfterSeconds: 7 }, 7_000],
    ["from the header before the details", { retryAfter: "3" }, { retryAfterSeconds: 7 }, 3_000],
    ["not from nonsense", { retryAfter: "soon" }, {}, undefined],
    ["not from nothing", {}, {}, undefined],
  ])("takes the time to wait %s", (_, header, details, retryAfterMs) => {
    const answer = { ...refusal(429, "TooManyRequests", "slow down", details), ...header };
    expect(refusalToError(answer, asked).retryAfterMs).toBe(retryAfterMs);
  });
});

describe("an eviction that is refused with 429", () => {
  const message = "Cannot evict pod as it would violate the pod's disruption budget.";
  const causes = (text: string) => [
    { reason: "DisruptionBudget", message: `The disruption budget seq ${text}` },
  ];

  it.each([
    [
      "because its budget is used up",
      { causes: causes("needs 2 healthy pods and has 2 currently") },
      "DisruptionBudget",
      undefined,
    ],
    [
      "because its budget is new",
      { causes: causes("is still being processed by the server."), retryAfterSeconds: 10 },
      "DisruptionBudget",
      10_000,
    ],
    ["because the server is busy", { retryAfterSeconds: 1 }, "Throttled", 1_000],
  ])("%s", (_, details, kind, retryAfterMs) => {
    const error = refusalToError(refusal(429, "TooManyRequests", message, details), asked);
    expect(error).toMatchObject({ kind, retryAfterMs });
    expect(isRetryable(error)).toBe(true);
  });
});

describe("answers recorded from Kubernetes 1.35", () => {
  const uidCause = {
    reason: "FieldValueInvalid",
    message: "Invalid value: field is immutable",
    field: "metadata.uid",
  };
  const tooLarge = { reason: "ResourceVersionTooLarge", message: "Too large resource version" };
  const terminating = {
    reason: "NamespaceTerminating",
    message: "namespace a is being terminated",
    field: "metadata.namespace",
  };

  it.each([
    [
      "patch with the uid of another object",
      refusal(422, "Invalid", "x", { name: "a", causes: [uidCause, uidCause] }),
      "Invalid",
      true,
    ],
    ["patch with an old version", refusal(409, "Conflict", "the object has been modified"), "Conflict", true],
    [
      "patch with a version that is no number",
      refusal(500, "", 'strconv.ParseUint: parsing "abc"'),
      "Unknown",
      false,
    ],
    [
      "replace with the uid of another object",
      refusal(409, "Conflict", "StorageError: invalid object, Code: 4"),
      "Conflict",
      true,
    ],
    [
      "delete with the uid of another object",
      refusal(409, "Conflict", "the UID in the precondition"),
      "Conflict",
      true,
    ],
    [
      "create in a namespace that does not exist",
      refusal(404, "NotFound", 'namespaces "a" not found', { name: "a" }),
      "NotFound",
      true,
    ],
    [
      "create in a namespace that goes",
      refusal(403, "Forbidden", "x", { causes: [terminating] }),
      "Forbidden",
      false,
    ],
    [
      "get of an API group that does not exist",
      { status: 404, body: "404 page not found\n" },
      "NotFound",
      true,
    ],
    [
      "list with a token that is none",
      refusal(400, "BadRequest", "invalid continue token"),
      "BadRequest",
      false,
    ],
    [
      "list at a version to come",
      refusal(504, "Timeout", "x", { causes: [tooLarge], retryAfterSeconds: 1 }),
      "Timeout",
      true,
    ],
    ["lease with three digits in its time", refusal(400, "BadRequest", "parsing time"), "BadRequest", false],
  ])("%s", (_, answer, kind, retryable) => {
    const error = refusalToError(answer, asked);
    expect([error.kind, isRetryable(error)]).toEqual([kind, retryable]);
  });
});

describe("a refusal that concerns another object of the same name", () => {
  it.each([
    [["metadata.uid"], true],
    [["metadata.uid", "metadata.uid"], true],
    [["metadata.uid", "spec.nodeName"], false],
    [[], false],
  ])("causes at %j are retryable: %s", (fields, retryable) => {
    const causes = fields.map((field) => ({ field, reason: "FieldValueInvalid", message: "immutable" }));
    expect(isRetryable(refusalToError(refusal(422, "Invalid", "no", { causes }), asked))).toBe(retryable);
  });
});

describe("a refusal that concerns a Secret", () => {
  const secret = { verb: "create", kind: "Secret", name: "default/identity" };
  const value = "c2VjcmV0LXBhc3NwaHJhc2U=";
  const causes = [
    { field: "data[passphrase]", reason: "FieldValueInvalid", message: `Invalid value: "${value}"` },
  ];

  it.each([
    ["422", refusal(422, "Invalid", `data[passphrase]: Invalid value: "${value}"`, { causes })],
    ["400", refusal(400, "BadRequest", `cannot decode {"data":{"passphrase":"${value}"}}`)],
    ["500", refusal(500, "", `failed to create typed patch object ${value}`, { causes })],
    ["an answer without Status", { status: 502, body: value }],
  ])("does not repeat its content: %s", (_, answer) => {
    const error = refusalToError(answer, secret);
    expect(JSON.stringify([error.message, error.details, error.cause ?? ""])).not.toContain(value);
    expect(error.message).toContain("cannot create Secret default/identity: ");
  });

  it("still names the field and the reason", () => {
    const error = refusalToError(refusal(422, "Invalid", "text", { causes }), secret);
    expect(error.message).toBe("cannot create Secret default/identity: 422 Invalid: data[passphrase]");
    expect(error.details).toEqual([{ field: "data[passphrase]", reason: "FieldValueInvalid" }]);
  });
});

describe("a 404", () => {
  it.each([
    ["that names the object", refusal(404, "NotFound", "not found", { name: "node-0" }), true],
    [
      "that names another object, such as the namespace",
      refusal(404, "NotFound", "x", { name: "other" }),
      false,
    ],
    ["for a resource that the server does not have", refusal(404, "NotFound", "could not find"), false],
    ["of something in between", { status: 404, body: "404 page not found" }, false],
    ["that is none", refusal(403, "Forbidden", "no", { name: "node-0" }), false],
  ])("%s means that the object is gone: %s", (_, answer, isGone) => {
    expect(saysObjectIsGone(answer, "node-0")).toBe(isGone);
  });
});

describe("an ERROR event of a watch", () => {
  const watched = { verb: "watch", kind: "Pod" };

  it.each([
    [statusBody(410, "Expired", "too old resource version: 1 (9)"), "Expired"],
    [statusBody(504, "Timeout", "Too large resource version"), "Timeout"],
    [statusBody(500, "InternalError", "etcd event received with PrevKv=nil"), "Unavailable"],
    [{}, "Unknown"],
    ["nonsense", "Unknown"],
  ])("%j is %s", (object, kind) => {
    expect(statusToError(object, watched).kind).toBe(kind);
  });
});

describe("any thrown thing as an error of the port", () => {
  it.each([
    ["ECONNREFUSED", "Unavailable"],
    ["ECONNRESET", "Unavailable"],
    ["ENOTFOUND", "Unavailable"],
    ["EAI_AGAIN", "Unavailable"],
    ["EPIPE", "Unavailable"],
    ["EHOSTUNREACH", "Unavailable"],
    ["CERT_HAS_EXPIRED", "Unavailable"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "Unavailable"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "Unavailable"],
    ["ETIMEDOUT", "Timeout"],
    ["DEADLINE_EXCEEDED", "Timeout"],
    ["ENOENT", "Unknown"],
  ])("%s is %s and keeps its cause", (code, kind) => {
    const thrown = Object.assign(new Error("it broke"), { code });
    const error = toKubeError(thrown, asked);
    expect(error).toMatchObject({ kind, cause: thrown, status: undefined });
    expect(error.message).toBe(`cannot patch Pod default/node-0: ${code} it broke`);
  });

  it.each([["text"], [undefined], [new TypeError("x is undefined")]])("%s is Unknown", (thrown) => {
    expect(toKubeError(thrown)).toMatchObject({ kind: "Unknown" });
  });

  it("leaves an error of the port as it is", () => {
    const error = new KubeError("Conflict", "text");
    expect(toKubeError(error, asked)).toBe(error);
  });
});
