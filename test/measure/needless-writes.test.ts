import { describe, expect, it } from "vitest";
import type { AuditedRequest } from "../../hack/measure/audit-log.ts";
import { needlessWrites } from "../../hack/measure/needless-writes.ts";
import type { Recorded } from "../../hack/measure/recorded-watch.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { audited } from "./audited.ts";

const change = (name: string, metadata: Partial<KubeObject["metadata"]> = {}): Recorded<KubeObject> => ({
  type: "MODIFIED",
  atMs: 0,
  object: { apiVersion: "v1", kind: "Any", metadata: { name, ...metadata } },
});
const service = (over: Partial<AuditedRequest>) => audited({ resource: "services", name: "seq", ...over });
const found = (
  requests: readonly AuditedRequest[],
  resource: string,
  changes: readonly Recorded<KubeObject>[],
) => needlessWrites(requests, new Map([[resource, changes]]), "operator");

describe("writes that change nothing", () => {
  it("are more than the changes that a watch saw", () => {
    const requests = [service({ verb: "create" }), service({ verb: "update" }), service({ verb: "update" })];
    expect(found(requests, "services", [change("seq"), change("seq")])).toEqual([
      { object: "services/seq", count: 1 },
    ]);
    expect(found(requests, "services", [change("seq"), change("seq"), change("seq")])).toEqual([]);
  });

  it("are not those that were refused or only tried", () => {
    const requests = [service({ verb: "update", code: 409 }), service({ verb: "update", isDryRun: true })];
    expect(found(requests, "services", [])).toEqual([]);
  });

  it("are not those of others", () => {
    const byController = Array.from({ length: 5 }, () => service({ verb: "update", user: "controller" }));
    expect(found([service({ verb: "create" }), ...byController], "services", [change("seq")])).toEqual([]);
  });

  it("are never a creation or a deletion: both are seen", () => {
    const requests = [service({ verb: "delete" }), service({ verb: "update", user: "controller" })];
    expect(
      found([service({ verb: "create" }), ...requests], "services", [change("seq"), change("seq")]),
    ).toEqual([]);
  });

  it("are at most as many as the operator's own", () => {
    const requests = [
      service({ verb: "update" }),
      ...Array(5).fill(service({ verb: "update", user: "controller" })),
    ];
    expect(found(requests, "services", [])).toEqual([{ object: "services/seq", count: 1 }]);
  });

  it("are not looked for in kinds that are not watched", () => {
    expect(found([audited({ resource: "leases", verb: "update" })], "services", [])).toEqual([]);
  });

  it("of pods are told by the operator's own labels and annotations", () => {
    const pod = (role: string, note: string) =>
      change("seq-0", { labels: { "evnode.dev/role": role }, annotations: { "example.com/note": note } });
    const changes = [pod("follower", "a"), pod("follower", "b"), pod("leader", "b")];
    const patches = [audited(), audited()];
    expect(found(patches, "pods", changes)).toEqual([]);
    expect(found([...patches, audited()], "pods", changes)).toEqual([{ object: "pods/seq-0", count: 1 }]);
  });
});
