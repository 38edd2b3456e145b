import type { Look } from "./look.ts";
import type { Hands } from "./stage.ts";
import type { Past } from "./witness.ts";

/** One scene: somebody does something, and it has to end in one way and no other. */
export interface Scene {
  /** A word or two, for the line that shows how far the story is. */
  readonly title: string;
  /** What is done now. */
  readonly now: string;
  readonly begin: (hands: Hands) => void;
  /** What is not yet as it has to end, in words; nothing when the scene is over. */
  readonly missing: (look: Look, past: Past) => readonly string[];
  /** What must not have happened in the meantime. */
  readonly wrong: (look: Look, past: Past) => readonly string[];
  /** How it ended. */
  readonly told: (look: Look, past: Past, tookMs: number) => string;
  readonly limitMs: number;
}

const BLOCKS_TO_SEE = 5;

/** Tags that the simulated world knows by their first word; see `test/sim/node/images.ts`. */
const images = (first: string) => {
  const repository = first.slice(0, first.lastIndexOf(":"));
  return {
    next: `${repository}:v1.1.6`,
    missing: `${repository}:missing`,
    crashing: `${repository}:crashing`,
  };
};

/** The whole story of a cluster whose first image is this one. */
export function storyOf(first: string): readonly Scene[] {
  const { next, missing, crashing } = images(first);
  return [
    start(),
    upgrade(next),
    refused(missing, next),
    reverted(crashing, next),
    correction(next),
    killedLeader(),
  ];
}

function start(): Scene {
  return {
    title: "start",
    now: "kubectl apply: a new EvNodeCluster of three sequencers.",
    begin: (hands) => hands.apply(),
    missing: (look, past) => [...unwell(look), ...tooFewBlocks(past)],
    wrong: (_, past) => replaced(past),
    told: ({ members }, { leaders, firstBlockAtMs = 0, sinceMs }, tookMs) =>
      `first block after ${seconds(firstBlockAtMs - sinceMs)}, all ${members.length} in sync with ${leaders.at(-1)} after ${seconds(tookMs)}`,
    limitMs: 60_000,
  };
}

function upgrade(image: string): Scene {
  return {
    title: "upgrade",
    now: `kubectl edit: spec.image becomes :${tagOf(image)}. Followers go first, the leader last.`,
    begin: (hands) => hands.changeImage(image),
    missing: (look, past) => [...unwell(look), ...notRunning(look, image), ...unended(look, past)],
    wrong: (look, past) => [...replaced(past), ...tooManyAway(past), ...leaderTooEarly(look, past)],
    told: (_, { endings, blocks }) =>
      `${endings.map(({ member }) => member).join(", ")}, one by one, the leader last; ${blocks} blocks`,
    limitMs: 120_000,
  };
}

function refused(image: string, running: string): Scene {
  return {
    title: "missing image",
    now: `kubectl edit: spec.image becomes :${tagOf(image)}, which no registry has.`,
    begin: (hands) => hands.changeImage(image),
    missing: (look, past) => [
      ...verdict(look, "stalled", "True", "RehearsalFailed"),
      ...(look.phase === "Running" ? [] : [`the phase is ${look.phase}, expected Running`]),
      ...tooFewBlocks(past),
    ],
    wrong: (look, past) => [...replaced(past), ...touched(past), ...notRunning(look, running)],
    told: (_, { blocks }) => `refused after a trial on the nodes, no member was touched; ${blocks} blocks`,
    limitMs: 60_000,
  };
}

function reverted(image: string, running: string): Scene {
  return {
    title: "bad image",
    now: `kubectl edit: spec.image becomes :${tagOf(image)}, which starts and then crashes.`,
    begin: (hands) => hands.changeImage(image),
    missing: (look, past) => [
      ...verdict(look, "stalled", "True", "RolloutReverted"),
      ...(look.lastRollout === "Reverted"
        ? []
        : [`the last rollout is ${look.lastRollout ?? "none"}, expected Reverted`]),
      ...notRunning(look, running),
      ...notInSync(look),
      ...(past.endings.length > 0 ? [] : ["no member has tried it"]),
    ],
    wrong: (_, past) => [...replaced(past), ...tooManyAway(past), ...severalTried(past)],
    told: (_, { endings, blocks }, tookMs) =>
      `tried on ${endings[0]?.member} alone and taken back, ${seconds(tookMs)}; ${blocks} blocks`,
    limitMs: 180_000,
  };
}

function correction(image: string): Scene {
  return {
    title: "correction",
    now: `kubectl edit: spec.image becomes :${tagOf(image)} again, which all members run.`,
    begin: (hands) => hands.changeImage(image),
    missing: (look) => [...verdict(look, "stalled", "False", "NotStalled"), ...unwell(look)],
    wrong: (look, past) => [...replaced(past), ...touched(past), ...notRunning(look, image)],
    told: () => "there was nothing to do, no member was touched",
    limitMs: 60_000,
  };
}

function killedLeader(): Scene {
  return {
    title: "killed leader",
    now: "kill -9: ev-node of the leader ends without a word.",
    begin: (hands) => hands.killLeader(),
    missing: (look, past) => [
      ...(past.leaders.length > 1 ? [] : ["no other member leads"]),
      ...unwell(look),
      ...tooFewBlocks(past),
    ],
    wrong: (_, past) => [...replaced(past), ...tooManyAway(past), ...otherEndings(past)],
    told: (_, { leaders, longestPauseMs }) =>
      `${leaders.at(-1)} leads after ${leaders[0]}; ${seconds(longestPauseMs)} without a block`,
    limitMs: 60_000,
  };
}

/** All members follow one leader, and the operator has nothing to do. */
function unwell(look: Look): readonly string[] {
  return [
    ...(look.phase === "Running" ? [] : [`the phase is ${look.phase}, expected Running`]),
    ...verdict(look, "rolloutComplete", "True", "UpToDate"),
    ...notInSync(look),
  ];
}

function notInSync({ members, leader }: Look): readonly string[] {
  const leading = members.filter(({ process }) => process?.leads === true);
  const late = members.filter(({ ready, process }) => !ready || process === undefined);
  return [
    ...late.map(({ name, doing }) => `${name} is not ready: ${doing}`),
    ...(leading.length === 1 && leading[0]?.name === leader
      ? []
      : [
          `${leader ?? "nobody"} is said to lead, and ${leading.map(({ name }) => name).join() || "nobody"} does`,
        ]),
  ];
}

function verdict(
  look: Look,
  which: "stalled" | "rolloutComplete",
  status: string,
  reason: string,
): readonly string[] {
  const seen = look[which];
  if (seen.status === status && seen.reason === reason) return [];
  const type = which === "stalled" ? "Stalled" : "RolloutComplete";
  return [`${type} is ${seen.status} for ${seen.reason}, expected ${status} for ${reason}`];
}

const notRunning = ({ members }: Look, image: string): readonly string[] =>
  members
    .filter(({ process }) => process?.image !== image)
    .map(({ name, process }) => {
      const runs = process === undefined ? "nothing" : tagOf(process.image);
      return `${name} runs ${runs}, expected ${tagOf(image)}`;
    });

const tooFewBlocks = ({ blocks }: Past): readonly string[] =>
  blocks >= BLOCKS_TO_SEE ? [] : [`${blocks} new blocks, expected ${BLOCKS_TO_SEE}`];

const unended = ({ members }: Look, { endings }: Past): readonly string[] =>
  members
    .filter(({ name }) => !endings.some(({ member }) => member === name))
    .map(({ name }) => `${name} was not restarted`);

const replaced = (past: Past): readonly string[] =>
  past.replaced === 0 ? [] : [`${past.replaced} blocks were replaced by others`];

const tooManyAway = ({ mostAway }: Past): readonly string[] =>
  mostAway <= 1 ? [] : [`${mostAway} members were away at one time, expected one at most`];

const touched = ({ endings }: Past): readonly string[] =>
  endings.map(({ member }) => `${member} was restarted, expected that nobody is touched`);

function leaderTooEarly({ members }: Look, { endings }: Past): readonly string[] {
  const early = endings.slice(0, members.length - 1).filter(({ wasLeader }) => wasLeader);
  const tooOften = endings.length > members.length;
  return [
    ...early.map(({ member }) => `${member} was restarted while it led and others were outdated`),
    ...(tooOften ? [`${endings.length} restarts, expected ${members.length}`] : []),
  ];
}

function severalTried({ endings }: Past): readonly string[] {
  const members = [...new Set(endings.map(({ member }) => member))];
  return members.length <= 1 ? [] : [`${members.join(" and ")} were restarted, expected one member alone`];
}

const otherEndings = ({ endings }: Past): readonly string[] =>
  endings.filter(({ wasLeader }) => !wasLeader).map(({ member }) => `${member}, no leader, was restarted`);

export const tagOf = (image: string) => image.slice(image.lastIndexOf(":") + 1);

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
