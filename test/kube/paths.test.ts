import { describe, expect, it } from "vitest";
import { collectionPath, objectPath, withQuery } from "../../src/kube/paths.ts";
import { kinds } from "../../src/model/kinds.ts";

describe("paths", () => {
  it.each([
    [collectionPath(kinds.pod, "default"), "/api/v1/namespaces/default/pods"],
    [collectionPath(kinds.pod, undefined), "/api/v1/pods"],
    [collectionPath(kinds.statefulSet, "a"), "/apis/apps/v1/namespaces/a/statefulsets"],
    [objectPath(kinds.pod, { namespace: "a", name: "b" }), "/api/v1/namespaces/a/pods/b"],
    [
      objectPath(kinds.cluster, { namespace: "a", name: "b" }, "status"),
      "/apis/evnode.dev/v1alpha1/namespaces/a/evnodeclusters/b/status",
    ],
    [
      objectPath(kinds.pod, { namespace: "a", name: "b" }, "eviction"),
      "/api/v1/namespaces/a/pods/b/eviction",
    ],
    [objectPath(kinds.pod, { namespace: "a", name: "b/c" }), "/api/v1/namespaces/a/pods/b%2Fc"],
    [objectPath({ ...kinds.pod, namespaced: false }, { name: "b" }), "/api/v1/pods/b"],
  ])("%s", (path, expected) => {
    expect(path).toBe(expected);
  });

  it.each(["", ".", ".."])("never turn the name '%s' into a path to something else", (name) => {
    expect(() => objectPath(kinds.pod, { namespace: "a", name })).toThrow(
      `"${name}" is not a name of an object`,
    );
  });

  it("need a namespace for what has one", () => {
    expect(() => objectPath(kinds.pod, { name: "b" })).toThrow("Pod b needs a namespace");
  });

  it("take a query without what is undefined", () => {
    expect(withQuery("/p", { a: 1, b: true, c: undefined, d: "x=y,z" })).toBe("/p?a=1&b=true&d=x%3Dy%2Cz");
    expect(withQuery("/p", { a: undefined })).toBe("/p");
  });
});
