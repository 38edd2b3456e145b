import { majorityOf } from "../model/majority.ts";

/**
 * Why members level. A block that anybody was served stands in the Raft log of a majority, but not always in the block
 * store of each of them. A member that becomes leader as the first thing after its start does not look: it makes the
 * block that it lacks once more, with another hash, and the chain is forked. So after a stop of all members, ev-node
 * runs as a full node first, without Raft: nobody can produce, and everybody gets the blocks that any of them
 * holds. A member goes to Raft when its store has every block of its Raft log. Whoever wins the election has the
 * longest log, so it has every block that was served.
 */

export interface OwnLevel {
  /** What the block store holds; undefined while ev-node has not said. */
  readonly height: number | undefined;
  /** The highest block in the Raft log; undefined while it was not read. */
  readonly loggedHeight: number | undefined;
}

export type PeerLevel = { readonly name: string } & (
  | { readonly kind: "leads" }
  /** It does not answer, or has not come so far. */
  | { readonly kind: "absent" }
  /** In Raft, without a leader so far. */
  | { readonly kind: "raft" }
  | ({ readonly kind: "level" } & OwnLevel)
);

export interface LevelView {
  readonly own: OwnLevel;
  readonly peers: readonly PeerLevel[];
  /** Since a height, or a peer's stance, changed last. */
  readonly stillMs: number;
}

export type LevelVerdict =
  | { readonly kind: "stay"; readonly why: string }
  | { readonly kind: "raft"; readonly why: string }
  /** ev-node asks the others for their heads once, when it starts: it has to start again. */
  | { readonly kind: "askAgain"; readonly why: string }
  /** The Raft log ends with blocks that no member ever stored. */
  | { readonly kind: "dropAbove"; readonly height: number };

export type HeldVerdict = Exclude<LevelVerdict, { kind: "raft" }>;

export interface HeldView extends LevelView {
  /** What any peer holds. */
  readonly highest: number;
  /** Since the own height changed last, or was seen to be lower than that. */
  readonly stuckMs: number;
  /** How often ev-node was started anew for it since then. */
  readonly asked: number;
}

/** How long a full node may stand still while blocks are made that it does not get. */
const STUCK_MS = 15_000;
/** Each time in vain doubles what it waits, as often as this. */
const MAX_DOUBLINGS = 5;

/** Blocks on their way from one full node to another are there by then. */
export const STILL_MS = 5_000;

/**
 * | own blocks | the others | then |
 * | --- | --- | --- |
 * | any | one leads | to Raft: a member that starts beside a leader follows it |
 * | not known | any | stay |
 * | fewer than in the Raft log | all level, hold just as many, and nothing moves | nobody ever stored the rest, so nobody was served it: drop it from the log |
 * | fewer than in the Raft log | one has more, and nothing moves | ask anew |
 * | fewer than in the Raft log | any | stay, and get them |
 * | all of the Raft log | with this one a majority has all of its logs, or is in Raft | to Raft; who lacks blocks gets them from the leader |
 * | all of the Raft log | any | stay, so that they get their blocks from here |
 */
export function judgeLevel({ own, peers, stillMs }: LevelView): LevelVerdict {
  const leader = peers.find(({ kind }) => kind === "leads");
  if (leader !== undefined) return { kind: "raft", why: `${leader.name} leads` };
  const { height, loggedHeight } = own;
  if (height === undefined || loggedHeight === undefined) return stay("ev-node has not told its height yet");
  if (height < loggedHeight) return judgeShort(height, loggedHeight, peers, stillMs);

  const waited = peers.filter((peer) => peer.kind !== "raft" && (peer.kind !== "level" || isShort(peer)));
  const voters = peers.length + 1;
  if (voters - waited.length < majorityOf(voters))
    return stay(`waits for ${waited.map(({ name }) => name).join(", ")}`);
  return { kind: "raft", why: `holds all ${loggedHeight} blocks of its Raft log, as a majority does` };
}

function judgeShort(
  height: number,
  loggedHeight: number,
  peers: readonly PeerLevel[],
  stillMs: number,
): HeldVerdict {
  const why = `lacks blocks ${height + 1} to ${loggedHeight} of its Raft log`;
  if (stillMs < STILL_MS) return stay(why);
  if (peers.every((peer) => peer.kind === "level" && peer.height === height))
    return { kind: "dropAbove", height };
  const ahead = peers.find((peer) => peer.kind === "level" && (peer.height ?? 0) > height);
  return ahead === undefined ? stay(why) : { kind: "askAgain", why: `${why}, which ${ahead.name} has` };
}

/**
 * The same for a member that never goes to Raft, since it is on its way to another membership. It has to come to the
 * height of the highest. kubelet lets a container wait longer for each start, so it is not asked for lightly.
 *
 * | own blocks | the others | then |
 * | --- | --- | --- |
 * | not known | any | stay |
 * | any | one has more, and nothing moves | ask anew |
 * | any | one has more, and the own do not become more for long | ask anew |
 * | fewer than in the Raft log | all level, hold just as many, and nothing moves | drop the rest from the log, as above |
 * | any | any | stay |
 */
export function judgeHeld({ own, peers, stillMs, highest, stuckMs, asked }: HeldView): HeldVerdict {
  const { height, loggedHeight } = own;
  if (height === undefined) return stay("ev-node has not told its height yet");
  const patience = 2 ** Math.min(asked, MAX_DOUBLINGS);
  const isStuck = stillMs >= STILL_MS * patience || stuckMs >= STUCK_MS * patience;
  if (highest > height && isStuck)
    return { kind: "askAgain", why: `lacks blocks ${height + 1} to ${highest}` };
  if (loggedHeight !== undefined && height < loggedHeight)
    return judgeShort(height, loggedHeight, peers, stillMs);
  return stay("waits for the change of the membership");
}

/** Whether a peer that levels lacks blocks of its log, as far as that is known. */
function isShort({ height, loggedHeight }: OwnLevel): boolean {
  return height === undefined || loggedHeight === undefined || height < loggedHeight;
}

/** Whether it certainly lacks some. */
export function lacksBlocks({ height, loggedHeight }: OwnLevel): boolean {
  return height !== undefined && loggedHeight !== undefined && height < loggedHeight;
}

const stay = (why: string): HeldVerdict => ({ kind: "stay", why });
