import { beforeEach, describe, expect, test } from "vitest";
import { AccessReviews } from "../../src/kube/access-reviews.ts";
import type { KubeApi } from "../../src/kube/api.ts";
import { KubeError } from "../../src/kube/errors.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";

const user = { username: "system:serviceaccount:monitoring:prometheus", uid: "u", groups: ["g"] };

let clock: VirtualClock;
let created: KubeObject[];
let answers: Record<string, object | Error>;
let reviews: AccessReviews;

beforeEach(() => {
  clock = new VirtualClock();
  created = [];
  answers = {
    TokenReview: { authenticated: true, user },
    SubjectAccessReview: { allowed: true },
  };
  const create = async (_: unknown, object: KubeObject) => {
    created.push(object);
    const status = answers[object.kind];
    if (status instanceof Error) throw status;
    return { ...object, status };
  };
  const api = { create } as unknown as Pick<KubeApi, "create">;
  reviews = new AccessReviews({ api, clock, path: "/metrics" });
});

const kinds = () => created.map(({ kind }) => kind);

test("the API server is asked whose the token is, and whether that one may get the path", async () => {
  expect(await reviews.verdict("abc")).toBe("allowed");
  expect(created).toEqual([
    {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenReview",
      metadata: { name: "" },
      spec: { token: "abc" },
    },
    {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      metadata: { name: "" },
      spec: {
        user: user.username,
        uid: "u",
        groups: ["g"],
        extra: undefined,
        nonResourceAttributes: { path: "/metrics", verb: "get" },
      },
    },
  ]);
});

test.each<[string, object, object, string, number]>([
  ["a token of nobody", { authenticated: false }, { allowed: true }, "unknown", 1],
  ["an answer without a status", {}, { allowed: true }, "unknown", 1],
  ["a user without the right", { authenticated: true, user }, { allowed: false }, "forbidden", 2],
  ["one of whom nothing is said", { authenticated: true, user }, {}, "forbidden", 2],
])("%s gets nothing", async (_, TokenReview, SubjectAccessReview, verdict, asked) => {
  answers = { TokenReview, SubjectAccessReview };
  expect(await reviews.verdict("abc")).toBe(verdict);
  expect(created).toHaveLength(asked);
});

describe("what was answered", () => {
  test.each([
    ["a yes", true, 59_999, 2],
    ["a yes", true, 60_000, 4],
    ["a no", false, 9_999, 2],
    ["a no", false, 10_000, 4],
  ])("%s (%s) is asked for again after %i ms: %i requests", async (_, allowed, afterMs, requests) => {
    answers["SubjectAccessReview"] = { allowed };
    await reviews.verdict("abc");
    await clock.advance(afterMs);
    await reviews.verdict("abc");
    expect(created).toHaveLength(requests);
  });

  test("is awaited by all who ask meanwhile", async () => {
    expect(await Promise.all([reviews.verdict("abc"), reviews.verdict("abc")])).toEqual([
      "allowed",
      "allowed",
    ]);
    expect(kinds()).toEqual(["TokenReview", "SubjectAccessReview"]);
  });

  test("is forgotten when it is no answer", async () => {
    answers["TokenReview"] = new KubeError("Unavailable", "no answer");
    await expect(reviews.verdict("abc")).rejects.toThrow("no answer");
    answers["TokenReview"] = { authenticated: true, user };
    expect(await reviews.verdict("abc")).toBe("allowed");
  });
});

describe("somebody with many wrong tokens", () => {
  test("makes the operator ask a few times a second, and no more", async () => {
    answers["TokenReview"] = { authenticated: false };
    const verdicts: string[] = [];
    for (let n = 0; n < 100; n++) verdicts.push(await reviews.verdict(`wrong-${n}`));
    expect(verdicts.filter((verdict) => verdict !== "busy")).toHaveLength(10);
    await clock.advance(1_000);
    expect(await reviews.verdict("right")).toBe("unknown");
  });

  test("does not make it forget the right ones", async () => {
    await reviews.verdict("right");
    answers["TokenReview"] = { authenticated: false };
    for (let n = 0; n < 80; n++) {
      await reviews.verdict(`wrong-${n}`);
      await clock.advance(500);
    }
    created.length = 0;
    await clock.advance(0);
    expect(await reviews.verdict("right")).toBe("allowed");
    expect(created).toEqual([]);
  });
});
