import type { GuideNode } from "./node.ts";
import type { Stage } from "./stage.ts";

/** Five machines of which the first has the chain, as long as nothing else is said. */
type Five = readonly [GuideNode, GuideNode, GuideNode, GuideNode, GuideNode];

export interface Danger {
  readonly name: string;
  /** What is done, and what of it was forced. */
  readonly done: string;
  /** That some of its runs fork: otherwise the campaign shows nothing. */
  readonly forks: boolean;
  /** Everything up to the step that is dangerous. */
  readonly prepare: (stage: Stage, five: Five) => Promise<void>;
  /** That step, and what somebody does after it. */
  readonly act: (stage: Stage, five: Five) => Promise<void>;
  readonly operator: string;
}

const BLOCKS = 8;
/** "Within a few seconds": step 9b starts five nodes from five terminals. */
const TERMINALS_MS = 3_000;
const SEEN_MS = 10_000;
const ATTEMPTS = 3;

export function fiveOf({ nodes }: Stage): Five {
  const [one, two, three, four, five] = nodes;
  if (!(one && two && three && four && five)) throw new Error("the guide has five machines");
  return [one, two, three, four, five];
}

/** The sequencer that there was makes its first blocks. */
async function sequence(stage: Stage, [sequencer]: Five, height = BLOCKS): Promise<void> {
  await sequencer.configureSingle();
  sequencer.start();
  await stage.reaches(sequencer, height);
}

/** Steps 7 to 9b: the old sequencer ends, all five are members. `late` are started from the last terminals. */
async function cutOver(stage: Stage, five: Five, late: readonly GuideNode[] = []): Promise<void> {
  await five[0].stop();
  for (const node of five) await node.configureMember(five);
  for (const node of five) if (!late.includes(node)) node.start();
  if (late.length > 0) await stage.watch(TERMINALS_MS);
  for (const node of late) node.start();
}

/** A group that runs already, on a chain of its own. */
async function group(stage: Stage, members: readonly GuideNode[]): Promise<void> {
  for (const node of members) {
    await node.configureMember(members);
    await node.bootstrap(members);
    node.start();
  }
  for (const node of members) await stage.reaches(node, BLOCKS);
}

/** Step 5: the copies are of the moment of the copy, and the sequencer goes on. */
async function copyAndGoOn(stage: Stage, five: Five): Promise<void> {
  const [sequencer, ...copies] = five;
  await sequence(stage, five);
  await sequencer.stop();
  for (const copy of copies) await copy.copyBlocksFrom(sequencer);
  sequencer.start();
  await stage.reaches(sequencer, 2 * BLOCKS);
}

async function cutOverWell(stage: Stage, five: Five): Promise<void> {
  const [sequencer, ...copies] = five;
  await sequence(stage, five);
  await sequencer.stop();
  for (const copy of copies) await copy.copyBlocksFrom(sequencer);
  for (const node of five) await node.bootstrap(five);
  await cutOver(stage, five);
  for (const node of five) await stage.reaches(node, BLOCKS + 4);
}

/** All but node-3, which was away for a while, hold the same blocks; nobody runs. */
async function stopWithOneBehind(stage: Stage, five: Five): Promise<void> {
  await group(stage, five);
  const [one, , three] = five;
  await three.stop();
  await stage.reaches(one, (await stage.heightOf(one)) + BLOCKS);
  await Promise.all(five.map((node) => node.stop()));
}

const operator = {
  empty:
    "no member starts before all hold the last block: Migrating, MigrationHeld; new ones are full nodes until then",
  outside: "OldSequencerAnswers of Stalled, an Event, an alert; no member has it among its peers",
  list: "ev-node reads no list: Raft's state is written for one epoch, for which all stop, level and start",
  wiped: "VolumeLost: none of three of five is rebuilt or started, as the others are no majority",
  back: "replicas: 1 levels all members before one goes on alone",
};

export const dangers: readonly Danger[] = [
  {
    name: "new members without data",
    done: "node-2 to node-5 empty, all five started at once; who leads is left to chance",
    forks: false,
    prepare: sequence,
    act: cutOver,
    operator: operator.empty,
  },
  {
    name: "new members without data, node-1 last",
    done: `the same, node-1 from the last terminal, ${TERMINALS_MS / 1_000} s later`,
    forks: true,
    prepare: sequence,
    act: (stage, five) => cutOver(stage, five, [five[0]]),
    operator: operator.empty,
  },
  {
    name: "unequal heights",
    done: "step 5 as it stands: copied, old sequencer started again, all five started at once; who leads is left to chance",
    forks: false,
    prepare: copyAndGoOn,
    act: cutOver,
    operator: operator.empty,
  },
  {
    name: "unequal heights, node-1 last",
    done: `the same, node-1 from the last terminal, ${TERMINALS_MS / 1_000} s later`,
    forks: true,
    prepare: copyAndGoOn,
    act: (stage, five) => cutOver(stage, five, [five[0]]),
    operator: operator.empty,
  },
  {
    name: "old sequencer started again",
    done: "a good cut-over of equal copies; then node-1's machine restarts, and what starts is its unit of before",
    forks: true,
    prepare: cutOverWell,
    act: async (stage, [old, other]) => {
      await old.stop();
      await stage.reaches(other, (await stage.heightOf(other)) + 3);
      await old.configureSingle();
      old.start();
    },
    operator: operator.outside,
  },
  {
    name: "longer list, from one to three",
    done: "node-1 alone in Raft; two new ones with a list of three started beside it",
    forks: true,
    prepare: (stage, [one]) => group(stage, [one]),
    act: async (_stage, [one, two, three]) => {
      for (const node of [two, three]) {
        await node.configureMember([one, two, three]);
        node.start();
      }
    },
    operator: operator.list,
  },
  {
    name: "longer list, from three to five",
    done: `node-1 to node-3 in Raft; node-4 and node-5 with a list of five beside them for ${SEEN_MS / 1_000} s; then node-3 gets the list, too, its Raft folder wiped so that it is read, and the three start together; whoever loses the first-start race is wiped and started again, up to ${ATTEMPTS} times`,
    forks: false,
    prepare: (stage, [one, two, three]) => group(stage, [one, two, three]),
    act: async (stage, five) => {
      const listed = five.slice(2);
      const added = five.slice(3);
      for (const node of added) await node.configureMember(five);
      for (const node of added) node.start();
      await stage.watch(SEEN_MS);
      for (const node of listed) await node.stop();
      for (const node of listed) await node.configureMember(five);
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const away = listed.filter(({ isRunning }) => !isRunning);
        for (const node of away) await node.wipeRaft();
        for (const node of away) node.start();
        await stage.watch(SEEN_MS / 2);
      }
    },
    operator: operator.list,
  },
  {
    name: "half of the Raft folders wiped",
    done: `five members, node-3 behind; all stopped, Raft folders of node-3 to node-5 wiped, blocks kept; node-3 started first, the other two 1 s, the rest ${TERMINALS_MS / 1_000} s later`,
    forks: true,
    prepare: stopWithOneBehind,
    act: async (stage, [one, two, three, four, five]) => {
      for (const node of [three, four, five]) await node.wipeRaft();
      three.start();
      await stage.watch(1_000);
      for (const node of [four, five]) node.start();
      await stage.watch(TERMINALS_MS);
      for (const node of [one, two]) node.start();
    },
    operator: operator.wiped,
  },
  {
    name: "half of the members wiped, Raft folders and blocks",
    done: `five members stopped; node-3 to node-5 wiped as the guide cures a divergence, and started ${TERMINALS_MS / 1_000} s before the rest`,
    forks: true,
    prepare: stopWithOneBehind,
    act: async (stage, [one, two, three, four, five]) => {
      for (const node of [three, four, five]) {
        await node.wipeRaft();
        await node.wipeBlocks();
        node.start();
      }
      await stage.watch(TERMINALS_MS);
      for (const node of [one, two]) node.start();
    },
    operator: operator.wiped,
  },
  {
    name: "the rollback",
    done: "five members stopped one after another from node-1 on, 2 s between two terminals; Raft folders wiped; node-1 started alone",
    forks: true,
    prepare: group,
    act: async (stage, five) => {
      const [one] = five;
      for (const node of five) {
        await node.stop();
        await stage.watch(2_000);
      }
      for (const node of five) await node.wipeRaft();
      await one.configureSingle();
      one.start();
    },
    operator: operator.back,
  },
];
