import type { Spec } from "../../../src/api/evnodecluster.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { say } from "../../local-cluster/progress.ts";
import { campaign } from "../campaign.ts";
import { exitsOf } from "../exits.ts";
import { started } from "../joining.ts";
import { startLoad } from "../load.ts";
import { provideNamespace } from "../namespaces.ts";
import { viewNode } from "../node-rpc.ts";
import { manifestOf, type OperatedCluster, operatedCluster } from "../operated-cluster.ts";
import { podsOf } from "../pods.ts";
import { pause, type Session } from "../session.ts";

const START_TIMEOUT_MS = 180_000;
const BUSY_LOOPS = 4;

type Timing = NonNullable<NonNullable<Spec["raft"]>["timing"]>;

/** Both sides run at the same time, so that they share whatever the machine does to them. */
const sides: readonly {
  readonly name: string;
  readonly title: string;
  readonly timing: Timing | undefined;
}[] = [
  {
    name: "upstream",
    title: "ev-node's defaults",
    timing: {
      heartbeatTimeout: "350ms",
      electionTimeout: "1s",
      leaderLeaseTimeout: "175ms",
      sendTimeout: "200ms",
    },
  },
  { name: "ours", title: "the operator's defaults", timing: undefined },
];

/** What Raft's time-outs cost and save on a machine without a processor to spare. */
export const raftTiming = campaign({
  name: "raft-timing",
  about: "ev-node's own time-outs and the operator's, side by side on a busy machine",
  options: {
    seconds: { full: 180, short: 20, about: "how long both run under load" },
  },
  async run(session, { seconds }) {
    const namespace = await provideNamespace(session, "timing");
    const clusters = sides.map(({ name }) => operatedCluster(wishOf(namespace, name)));
    for (const [index, side] of sides.entries()) await start(session, namespace, side, clusters[index]);
    const before = await Promise.all(clusters.map((cluster) => lookAt(session, cluster)));

    const load = await startLoad(BUSY_LOOPS);
    session.atEnd("the load", async () => load.stop());
    say(`both run for ${seconds} s beside ${load.description}`);
    await pause(seconds * 1_000, session);
    const after = await Promise.all(clusters.map((cluster) => lookAt(session, cluster)));

    const rows = sides.map(({ title }, index) => {
      const exits = (after[index]?.exits ?? 0) - (before[index]?.exits ?? 0);
      const blocks = (after[index]?.height ?? 0) - (before[index]?.height ?? 0);
      return [title, String(exits), String(blocks), `${((blocks * 20) / seconds).toFixed(0)} %`];
    });
    return {
      tables: [
        {
          title: `Two clusters of 3 members, blocks every 200 ms, ${seconds} s beside ${load.description}`,
          columns: ["", "exits of ev-node", "blocks", "of all possible"],
          rows,
        },
      ],
      notes: [],
      failures: [],
      values: { before, after },
    };
  },
});

const wishOf = (namespace: string, name: string) =>
  ({ namespace, name, replicas: 3, blockTime: "200ms" }) as const;

async function start(
  session: Session,
  namespace: string,
  { name, timing }: (typeof sides)[number],
  cluster: OperatedCluster | undefined,
): Promise<void> {
  const manifest = manifestOf(wishOf(namespace, name));
  const spec = timing ? { ...manifest.spec, raft: { timing } } : manifest.spec;
  await session.api.create(kinds.cluster, { ...manifest, spec });
  if (cluster) await started(session, cluster, START_TIMEOUT_MS);
}

async function lookAt(session: Session, cluster: OperatedCluster) {
  const pods = await podsOf(session, cluster);
  const views = await Promise.all(pods.map(({ status }) => viewNode(status?.podIP ?? "")));
  const heights = views.flatMap(({ height }) => (height === undefined ? [] : [height]));
  const { count } = await exitsOf(session, cluster);
  return { exits: count, height: Math.max(0, ...heights) };
}
