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
  /** Since this member levels. */
  readonly waitedMs: number;
  /** Since a height, or a peer's stance, changed last. */
  readonly stillMs: number;
}

export type LevelVerdict =
  | { readonly kind: "stay"; readonly why: string }
  | { readonly kind: "raft"; readonly why: string }
  /** The Raft log ends with blocks that no member ever stored. */
  | { readonly kind: "dropAbove"; readonly height: number };

/** A member that is lost for good must not keep the others from going on. */
export const ABSENT_PATIENCE_MS = 20_000;
/** Nor one that does not get its blocks: with its vote or without it, who goes on is safe by itself. */
export const SHORT_PATIENCE_MS = 60_000;
/** Blocks on their way from one full node to another are there by then. */
export const STILL_MS = 5_000;

/**
 * | own blocks | the others | then |
 * | --- | --- | --- |
 * | any | one leads | to Raft: a member that starts beside a leader follows it |
 * | not known | any | stay |
 * | fewer than in the Raft log | all level, hold just as many, and nothing moves | nobody ever stored the rest, so nobody was served it: drop it from the log |
 * | fewer than in the Raft log | any | stay, and get them |
 * | all of the Raft log | one has fewer than its log | stay for a while: it gets them from here |
 * | all of the Raft log | one is absent | stay for a while |
 * | all of the Raft log | all likewise, or in Raft | to Raft |
 */
export function judgeLevel({ own, peers, waitedMs, stillMs }: LevelView): LevelVerdict {
  const leader = peers.find(({ kind }) => kind === "leads");
  if (leader !== undefined) return { kind: "raft", why: `${leader.name} leads` };
  const { height, loggedHeight } = own;
  if (height === undefined || loggedHeight === undefined) return stay("ev-node has not told its height yet");

  if (height < loggedHeight) {
    const isWhole = peers.every((peer) => peer.kind === "level" && peer.height === height);
    if (isWhole && stillMs >= STILL_MS) return { kind: "dropAbove", height };
    return stay(`lacks blocks ${height + 1} to ${loggedHeight} of its Raft log`);
  }
  const short = peers.filter(isShort);
  if (short.length > 0 && waitedMs < SHORT_PATIENCE_MS) return stay(`${namesOf(short)} still lack blocks`);
  const absent = peers.filter(({ kind }) => kind === "absent");
  if (absent.length > 0 && waitedMs < ABSENT_PATIENCE_MS) return stay(`waits for ${namesOf(absent)}`);
  return { kind: "raft", why: `holds all ${loggedHeight} blocks of its Raft log` };
}

/** Whether a peer may need blocks of others before it can go to Raft. */
export function isShort(peer: PeerLevel): boolean {
  if (peer.kind !== "level") return false;
  const { height, loggedHeight } = peer;
  return height === undefined || loggedHeight === undefined || height < loggedHeight;
}

const namesOf = (peers: readonly PeerLevel[]) => peers.map(({ name }) => name).join(", ");
const stay = (why: string): LevelVerdict => ({ kind: "stay", why });
