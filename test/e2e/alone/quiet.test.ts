import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { chainLockName } from "../../../src/model/names.ts";
import { environment } from "../harness/environment.ts";
import { useObserved } from "../harness/observed.ts";
import { operatorNamespace } from "../harness/operator-names.ts";
import { until } from "../harness/until.ts";
import { useWorld } from "../harness/world.ts";
import { type AuditedRequest, AuditTape, describeRequest } from "./audit.ts";

/** Alone: it wants a machine on which nothing else happens, and an operator that has nothing else to do. */

const world = useWorld("quiet");
const observed = useObserved(() => world().cluster("seq"));

const WATCHED_MS = 75_000;
const SETTLED_MS = 10_000;

const isLease = ({ objectRef }: AuditedRequest) => objectRef?.resource === "leases";
const isStatus = ({ objectRef }: AuditedRequest) => objectRef?.subresource === "status";

/** Of this cluster, or of no cluster; the locks of other clusters lie beside ours. */
async function aboutThisCluster(requests: readonly AuditedRequest[]): Promise<readonly AuditedRequest[]> {
  const { status } = await observed().cluster.get();
  const lock = chainLockName(status?.chainId ?? "", status?.proposerAddress ?? "");
  return requests.filter(({ objectRef }) => {
    const { namespace, resource, name } = objectRef ?? {};
    if (namespace === undefined || namespace === world().namespace) return true;
    return namespace === operatorNamespace && (resource !== "configmaps" || name === lock);
  });
}

const auditLog = () => environment().machine?.auditLog ?? "";

/** The last news of the start has been written when nothing but the Lease was for a while. */
async function hasSettled(): Promise<void> {
  await until(
    "an operator that has nothing to write",
    async () => {
      const tape = await AuditTape.start(auditLog());
      await sleep(SETTLED_MS);
      const writes = (await aboutThisCluster(await tape.writes())).filter((request) => !isLease(request));
      return writes.length === 0 ? { found: true } : { missing: writes.map(describeRequest).join(", ") };
    },
    { withinMs: 60_000 },
  );
}

describe.skipIf(environment().machine === undefined)("a cluster of which there is nothing to tell", () => {
  let tape: AuditTape | undefined;
  let writes: readonly AuditedRequest[] = [];

  it("is written about by nobody, but for its progress once a minute", async () => {
    const { observer } = observed();
    await hasSettled();
    const { top } = observer.record;
    tape = await AuditTape.start(auditLog());
    await sleep(WATCHED_MS);
    writes = await aboutThisCluster(await tape.writes());

    const others = writes.filter((request) => !isLease(request) && !isStatus(request));
    expect(others.map(describeRequest)).toEqual([]);
    // It was no standstill that was watched: five blocks a second, less what a busy machine holds up.
    expect(observer.record.top).toBeGreaterThan(top + WATCHED_MS / 1_000);
  });

  // How often is judged by `npm run measure -- quiet`: on a busy machine members come and go, which is news.
  it("has nothing written about it but its status", () => {
    const about = new Set(writes.filter(isStatus).map(describeRequest));
    about.delete(`update evnodeclusters/status ${world().namespace}/seq`);
    expect([...about]).toEqual([]);
  });

  it("is looked after all the same: the operator held its Lease, and repairs at once", async () => {
    const { cluster } = observed();
    expect(writes.filter(isLease).length).toBeGreaterThan(WATCHED_MS / 30_000);

    await cluster.api.send(cluster.path("services", "seq-rpc"), { method: "DELETE" });
    await cluster.tells("Restored", /^Service seq-rpc was put back/);
    const seen = await aboutThisCluster((await tape?.writes()) ?? []);
    expect(seen.map(describeRequest)).toContain(`create services ${world().namespace}/seq-rpc`);
  });
});
