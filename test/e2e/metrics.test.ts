import { randomBytes } from "node:crypto";
import { get } from "node:https";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Pod } from "../../src/model/objects.ts";
import { metricTable } from "../../src/telemetry/metric-table.ts";
import { type Exposition, readExposition, samplesOf } from "../telemetry/exposition.ts";
import { environment } from "./harness/environment.ts";
import { useObserved } from "./harness/observed.ts";
import { operatorName, operatorNamespace } from "./harness/operator-names.ts";
import { until } from "./harness/until.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("metrics");
const observed = useObserved(() => world().cluster("seq"));

const PORT = 8443;
const READER = `${operatorName}-metrics-reader`;
/** A quiet cluster is looked at once a minute. */
const TOLD_MS = 90_000;
const DEADLINE_MS = 10_000;
const reader = "metrics-reader";
const stranger = "metrics-stranger";
const binding = `e2e-metrics-${randomBytes(2).toString("hex")}`;

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

/** A scrape as Prometheus makes it: from outside the pod, over https, with the token of a service account. */
function scrape({ status }: Pod, token?: string): Promise<Answer> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const options = { host: status?.podIP, port: PORT, path: "/metrics", headers, rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const request = get({ ...options, signal: AbortSignal.timeout(DEADLINE_MS) }, (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode, body }), reject);
    });
    request.on("error", reject);
  });
}

async function tokenOf(account: string): Promise<string> {
  const { kubectl, namespace } = world();
  return (await kubectl.run(["--namespace", namespace, "create", "token", account])).trim();
}

/** The page of the replica that leads. */
async function page(token: string): Promise<Exposition> {
  const selector = encodeURIComponent(`app.kubernetes.io/name=${operatorName}`);
  const path = `/api/v1/namespaces/${operatorNamespace}/pods?labelSelector=${selector}`;
  const pods = await world().api.list<Pod>(path);
  for (const pod of pods.filter(({ status }) => status?.phase === "Running")) {
    const { status, body } = await scrape(pod, token);
    if (status !== 200) throw new Error(`${pod.metadata.name} answered ${status}: ${body}`);
    const told = readExposition(body);
    if (samplesOf(told, "leader_election_master_status")[0]?.[1] === 1) return told;
  }
  throw new Error(`none of ${pods.length} replicas leads`);
}

// Pods are dialled by their addresses, which only the node itself can.
describe.skipIf(environment().machine === undefined)("the operator's metrics", () => {
  let token = "";

  beforeAll(async () => {
    const { kubectl, namespace } = world();
    for (const account of [reader, stranger])
      await kubectl.run(["--namespace", namespace, "create", "serviceaccount", account]);
    const subject = `--serviceaccount=${namespace}:${reader}`;
    await kubectl.run(["create", "clusterrolebinding", binding, `--clusterrole=${READER}`, subject]);
    token = await tokenOf(reader);
  });

  afterAll(async () => {
    await world().kubectl.attempt(["delete", "clusterrolebinding", binding]);
  });

  const valueOf = (told: Exposition, name: string) =>
    samplesOf(told, name).find(
      ([labels]) => labels["namespace"] === world().namespace && labels["evnodecluster"] === "seq",
    )?.[1];

  it("are told to those who may get them, and to nobody else", async () => {
    const selector = encodeURIComponent(`app.kubernetes.io/name=${operatorName}`);
    const [pod] = await world().api.list<Pod>(
      `/api/v1/namespaces/${operatorNamespace}/pods?labelSelector=${selector}`,
    );
    if (!pod) throw new Error("the operator has no pod");
    expect(await scrape(pod)).toMatchObject({ status: 401 });
    expect(await scrape(pod, "not-a-token")).toMatchObject({ status: 401 });
    expect(await scrape(pod, await tokenOf(stranger))).toMatchObject({ status: 403 });
    expect(await scrape(pod, token)).toMatchObject({ status: 200 });
  });

  it("name the leader, and each metric that the docs name", async () => {
    const leader = (await observed().cluster.leaderPod()).metadata.name;
    await until(
      `${leader} as the leader`,
      async () => {
        const told = samplesOf(await page(token), "evnode_member_leader")
          .filter(([labels, value]) => labels["namespace"] === world().namespace && value === 1)
          .map(([labels]) => labels["member"]);
        return told.length === 1 && told[0] === leader
          ? { found: true }
          : { missing: told.join(", ") || "none" };
      },
      { withinMs: TOLD_MS },
    );
    const told = await page(token);
    expect(told.families.map(({ name }) => name)).toEqual(Object.keys(metricTable));
    expect(valueOf(told, "evnode_cluster_leaders")).toBe(1);
    expect(valueOf(told, "evnode_cluster_replicas")).toBe(3);
  });

  it("tell a height that grows, and reconciles that are counted", async () => {
    const before = await page(token);
    const height = valueOf(before, "evnode_cluster_height") ?? 0;
    const reconciles = (told: Exposition) =>
      samplesOf(told, "controller_runtime_reconcile_total").reduce((sum, [, value]) => sum + value, 0);
    const after = await until(
      "a greater height",
      async () => {
        const now = await page(token);
        const told = valueOf(now, "evnode_cluster_height") ?? 0;
        return told > height ? { found: now } : { missing: `height ${told} after ${height}` };
      },
      { withinMs: TOLD_MS },
    );
    expect(reconciles(after)).toBeGreaterThan(reconciles(before));
  });

  it("forget a cluster that is deleted", async () => {
    const { cluster, observer } = observed();
    const ours = async () =>
      (await page(token)).samples.filter(({ labels }) => labels["namespace"] === world().namespace);
    expect(await ours()).not.toEqual([]);
    await observer.stop();
    await cluster.delete();
    await until(
      "no series of the cluster",
      async () => {
        const left = await ours();
        return left.length === 0 ? { found: true } : { missing: `${left.length} are left` };
      },
      { withinMs: TOLD_MS },
    );
  });
});
