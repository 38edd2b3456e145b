import { kinds } from "../../../src/model/kinds.ts";
import { AGENT_CONTAINER } from "../../../src/model/member.ts";
import { operatorNamespace } from "../../demo/install.ts";
import { say } from "../../local-cluster/progress.ts";
import { type AuditedRequest, AuditReader } from "../audit-log.ts";
import { campaign } from "../campaign.ts";
import { started } from "../joining.ts";
import { provideNamespace } from "../namespaces.ts";
import { manifestOf, operatedCluster } from "../operated-cluster.ts";
import { memoryOf, processorOf } from "../operator-process.ts";
import { measureRestart } from "../operator-restart.ts";
import { IDENTITY_READ, provideOwnOperator } from "../own-operator.ts";
import { podsOf } from "../pods.ts";
import { type ContainerMemory, memoryOfContainers } from "../process-memory.ts";
import { requireLocal } from "../provide-cluster.ts";
import { pause, type Session } from "../session.ts";
import { allRunning, createAll, simulateMembers } from "../simulated/fleet.ts";
import { type MemoryFindings, memoryReport } from "./memory-report.ts";

const START_TIMEOUT_MS = 180_000;

/** One operator with many clusters whose members are simulated, and the real containers beside. */
export const memory = campaign({
  name: "memory",
  about: "memory and API requests of the operator with 1 and many clusters of simulated members",
  options: {
    clusters: { full: 50, short: 5, about: "clusters of 3 simulated members" },
    "settle-seconds": { full: 120, short: 5, about: "quiet time before memory is read" },
    "quiet-seconds": { full: 60, short: 10, about: "how long nothing happens then, and after the restart" },
  },
  async run(session, { clusters, "settle-seconds": settleSeconds, "quiet-seconds": quietSeconds }) {
    const times = { settleMs: settleSeconds * 1_000, quietMs: quietSeconds * 1_000 };
    const containers = await measureContainers(session, times.settleMs);
    const simulated = await measureSimulated(session, clusters, times);
    return memoryReport({ clusters, settleSeconds, quietSeconds, ...containers, ...simulated });
  },
});

/** A real cluster of 3 members, looked after by the installed operator. */
async function measureContainers(
  session: Session,
  settleMs: number,
): Promise<{ readonly agents: readonly ContainerMemory[]; readonly installed: readonly ContainerMemory[] }> {
  const namespace = await provideNamespace(session, "memory-members");
  const wish = { namespace, name: "chain", replicas: 3, blockTime: "1s" } as const;
  await session.api.create(kinds.cluster, manifestOf(wish));
  const members = await started(session, operatedCluster(wish), START_TIMEOUT_MS);
  await pause(settleMs, session);
  const operator = {
    namespace: operatorNamespace,
    selector: "app.kubernetes.io/name=evnode-operator",
    count: 1,
  };
  return {
    agents: await memoryOfContainers(session, await podsOf(session, members), AGENT_CONTAINER),
    installed: await memoryOfContainers(session, await podsOf(session, operator), "operator"),
  };
}

type Simulated = Omit<MemoryFindings, "agents" | "installed" | "clusters" | "settleSeconds" | "quietSeconds">;

interface Times {
  readonly settleMs: number;
  readonly quietMs: number;
}

async function measureSimulated(
  session: Session,
  clusters: number,
  { settleMs, quietMs }: Times,
): Promise<Simulated> {
  const { auditLog } = requireLocal(session);
  const namespace = await provideNamespace(session, "memory");
  const operator = await provideOwnOperator(session, namespace);
  const where = { scope: { namespace }, namespaceOf: () => namespace };
  const fleet = await simulateMembers(session, where, operator);

  const { readyAfterMs } = await operator.start();
  await pause(settleMs / 4, session);
  const empty = await memoryOf(operator);
  await createAll(session, fleet, 0, 1);
  await allRunning(session, fleet, 1);
  await pause(settleMs, session);
  const withOne = await memoryOf(operator);
  say("one cluster runs; creating the others");

  const reader = await AuditReader.fromNow(auditLog);
  const own = ({ user }: AuditedRequest) => user === operator.user;
  const processorBeforeMs = await processorOf(operator);
  const startMs = performance.now();
  await createAll(session, fleet, 1, clusters);
  const allRunningMs = await allRunning(session, fleet, clusters, startMs);
  const creationProcessorMs = (await processorOf(operator)) - processorBeforeMs;
  const creation = await reader.next(own);
  say(`all ${clusters} clusters are Running`);
  await pause(settleMs, session);
  const settling = await reader.next(own);
  const withAll = await memoryOf(operator);
  await pause(quietMs, session);
  const quiet = await reader.next(own);
  const restart = await measureRestart(session, {
    operator,
    reader,
    clusters,
    secretSuffix: IDENTITY_READ,
    afterMs: quietMs,
  });
  await fleet.check();
  return {
    readyAfterMs,
    empty,
    withOne,
    withAll,
    allRunningMs,
    creationProcessorMs,
    creation,
    settling,
    quiet,
    restart,
  };
}
