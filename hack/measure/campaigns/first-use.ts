import { readFileSync } from "node:fs";
import { join } from "node:path";
import { kinds } from "../../../src/model/kinds.ts";
import { EVNODE_CONTAINER } from "../../../src/model/member.ts";
import { identitySecretName } from "../../../src/model/names.ts";
import { LEASE_NAME } from "../../../src/telemetry/operator-metrics.ts";
import { processesOf } from "../../../test/e2e/harness/cluster.ts";
import { packageVersion } from "../../bundle.ts";
import { operatorNamespace } from "../../demo/install.ts";
import { testnodeImages } from "../../local-cluster/image-names.ts";
import { forgetImage, importImage, nameImage } from "../../local-cluster/images.ts";
import { operatorImageName } from "../../operator-image.ts";
import { campaign } from "../campaign.ts";
import { ChainSurvey } from "../chain-survey.ts";
import { removeOperator, withoutOperator } from "../installed-release.ts";
import { provideEmptyNamespace } from "../namespaces.ts";
import { type Newcomer, provideNewcomer, type Timed } from "../newcomer.ts";
import { deleteCluster, type OperatedCluster, operatedCluster } from "../operated-cluster.ts";
import { pageCommands } from "../page-commands.ts";
import { podsOf } from "../pods.ts";
import { requireLocal } from "../provide-cluster.ts";
import { patchNow } from "../rollout-sides.ts";
import { pause, pollUntil, type Session } from "../session.ts";
import { readAll } from "../survey-looks.ts";
import { type FirstUse, firstUseReport, type Step } from "./first-use-report.ts";

const REPLICAS = 3;
const NAME = "my-chain";
const UPGRADED = "ghcr.io/evstack/ev-node-testapp:v1.1.6";
/** What the README's commands name, and this cluster has no registry for. */
const standIns = [
  [operatorImageName(packageVersion()), `registry.example.com/evnode-operator:${packageVersion()}`],
  [testnodeImages[0], "ghcr.io/evstack/ev-node-testapp:v1.1.5"],
  [testnodeImages[1], UPGRADED],
] as const;

/** The README from the installation on, pasted command by command on a fresh clone, with what it promises looked at. */
export const firstUse = campaign({
  name: "first-use",
  about:
    "the README's commands as a newcomer pastes them, timed: install, apply, upgrade, uninstall, install again",
  options: {
    runs: { full: 3, short: 1, about: "how often all of it is done" },
    "away-seconds": { full: 60, short: 10, about: "how long no operator is installed" },
  },
  async run(session, { runs, "away-seconds": awaySeconds }) {
    requireLocal(session);
    const newcomer = await provideNewcomer(session);
    const built = await newcomer.pastes("npm run image");
    await importImage(join(newcomer.folder, "dist/evnode-operator.tar"));
    for (const [image, name] of standIns) {
      await nameImage(image, name);
      session.atEnd(`image name ${name}`, async () => forgetImage(name));
    }
    // Before the operator is taken away, so that they go after it is back: clusters wait for it to be deleted.
    const namespaces: string[] = [];
    for (let run = 0; run < runs; run += 1)
      namespaces.push(await provideEmptyNamespace(session, "first-use"));
    await withoutOperator(session);
    const all: FirstUse[] = [];
    for (const namespace of namespaces)
      all.push(await useOnce(session, newcomer, namespace, awaySeconds * 1_000));
    return firstUseReport(all, built);
  },
});

async function useOnce(
  session: Session,
  newcomer: Newcomer,
  namespace: string,
  awayMs: number,
): Promise<FirstUse> {
  const readme = readFileSync(join(newcomer.folder, "README.md"), "utf8");
  await newcomer.uses(namespace);
  await removeOperator(session);
  // With its rights it lost that to give its Lease back, which a newcomer's Kubernetes does not have.
  const lease = ["lease", LEASE_NAME, "--namespace", operatorNamespace, "--ignore-not-found"];
  await session.kubectl.run(["delete", ...lease]);
  const steps: Step[] = [];
  const does = async (title: string, block: string) => {
    const commands: Timed[] = [];
    for (const line of pageCommands(readme, block)) commands.push(await newcomer.pastes(line));
    steps.push({ title, commands });
  };
  const members = operatedCluster({ namespace, name: NAME, replicas: REPLICAS, blockTime: "1s" });
  const survey = new ChainSurvey(REPLICAS);
  const look = () => readAll(session, { members, survey });

  await does("install the operator", "install");
  await does("apply a cluster", "apply");
  await does("look at it", "look");
  await does("build and use the plugin", "plugin");
  await look();
  await does("upgrade by an edit", "upgrade");
  const upgraded = await imagesOf(session, members);
  await look();
  const before = await stateOf(session, members);
  await does("uninstall the operator", "uninstall");
  const topBefore = survey.top();
  await pause(awayMs, session);
  await look();
  const away = await stateOf(session, members);
  const blocksWhileAway = survey.top() - topBefore;
  await does("install it again", "install");
  const adoptedMs = await adoptedAfter(session, members);
  const after = await stateOf(session, members);
  await look();
  await deleteCluster(session, members);
  return {
    steps,
    isUpgraded: upgraded.every((image) => image === UPGRADED),
    blocksWhileAway,
    survived: JSON.stringify(away) === JSON.stringify(before),
    untouched: JSON.stringify(after) === JSON.stringify(before),
    adoptedMs,
    chain: [...survey.problems(), ...survey.replaced()],
  };
}

async function imagesOf(
  session: Session,
  members: OperatedCluster,
): Promise<readonly (string | undefined)[]> {
  const pods = await podsOf(session, members);
  return pods.map(({ spec }) => spec?.containers.find(({ name }) => name === EVNODE_CONTAINER)?.image);
}

/** Processes, volumes and identity: what an uninstall must not take, and an installation must not restart. */
async function stateOf({ api, ...session }: Session, members: OperatedCluster): Promise<object> {
  const { namespace, selector } = members;
  const { items: claims } = await api.list(kinds.claim, { namespace, labelSelector: selector });
  const secret = await api.get(kinds.secret, { namespace, name: identitySecretName(NAME) });
  return {
    processes: processesOf(await podsOf({ ...session, api }, members)),
    claims: claims.map(({ metadata }) => `${metadata.name} ${metadata.uid}`).toSorted(),
    secret: secret?.metadata.uid,
    cluster: (await api.get(kinds.cluster, { namespace, name: NAME }))?.metadata.uid,
  };
}

const TOKEN = "first-use";
const ADOPT_TIMEOUT_MS = 120_000;

/** From the end of the installation until an edit that restarts nothing has reached every pod. */
async function adoptedAfter(session: Session, members: OperatedCluster): Promise<number | undefined> {
  const startMs = performance.now();
  await patchNow(session, kinds.cluster, members, { spec: { pod: { labels: { [TOKEN]: "seen" } } } });
  const isSeen = async () => {
    const pods = await podsOf(session, members);
    const all = pods.filter(({ metadata }) => metadata.labels?.[TOKEN] === "seen");
    return all.length === REPLICAS ? performance.now() - startMs : undefined;
  };
  return pollUntil(isSeen, { everyMs: 100, timeoutMs: ADOPT_TIMEOUT_MS }, session);
}
