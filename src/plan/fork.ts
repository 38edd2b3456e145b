import { answerOf, type Member } from "../model/member.ts";
import type { HeldBlock, Parting } from "../model/parting.ts";
import type { Snapshot } from "./snapshot.ts";
import { suspensionOn } from "./suspension-state.ts";

export interface Head {
  readonly name: string;
  readonly height: number;
  readonly hash: string;
  readonly timeMs: number;
}

/** The last block of every member that tells it. */
export function headsOf(members: readonly Member[]): Head[] {
  return members.flatMap((member) => {
    const node = answerOf(member)?.node;
    return node?.kind === "open" && node.head ? [{ name: member.name, ...node.head }] : [];
  });
}

/** A block that a member tells, by something that tells it from any other block of its height. */
interface Held {
  readonly name: string;
  readonly height: number;
  readonly id: string;
}

/** What a comparison of all blocks that members tell came to. */
export type Comparison =
  /** No two members told a block of one height. */
  | { readonly kind: "nothing" }
  | { readonly kind: "equal"; readonly height: number }
  /** Two members hold different blocks at one height, in words. */
  | { readonly kind: "forked"; readonly message: string };

/**
 * Heads that are at one height, and the checkpoints: blocks at heights that all members choose alike. What a majority
 * held before the last suspension must still be there, too. Where members were asked for single blocks, that counts: it
 * goes further back than what they tell by themselves.
 */
export function compareBlocks({ members, statefulSet, parting }: Snapshot): Comparison {
  if (parting?.kind === "asked") return { kind: "forked", message: describeParting(parting) };
  const pairs = pairsOf({ members, statefulSet });
  const [fork] = forksAmong(pairs);
  const why = parting === undefined ? "" : ` The first such height is not known: ${parting.why}.`;
  if (fork) return { kind: "forked", message: `${describeFork(...fork)}${why} ${STOP}` };
  return pairs.length === 0
    ? { kind: "nothing" }
    : { kind: "equal", height: Math.max(...pairs.map(([{ height }]) => height)) };
}

/**
 * The lowest height at which what members tell by themselves differs, and the highest one below at which two of them
 * tell the same. What was noted before a suspension is no member, and cannot be asked.
 */
export function differenceOf({ members }: Pick<Snapshot, "members">): Difference | undefined {
  const pairs = pairsOf({ members, statefulSet: undefined });
  const [fork] = forksAmong(pairs);
  if (!fork) return undefined;
  const [{ height }] = fork;
  const below = pairs.filter(([one, other]) => one.id === other.id && one.height < height);
  return { height, equalAt: Math.max(0, ...below.map(([one]) => one.height)) };
}

export interface Difference {
  readonly height: number;
  /** 0 if there is none. */
  readonly equalAt: number;
}

function pairsOf({ members, statefulSet }: Pick<Snapshot, "members" | "statefulSet">): [Held, Held][] {
  const heads = headsOf(members).map(({ name, height, hash }): Held => ({ name, height, id: hash }));
  const checkpoint = suspensionOn(statefulSet)?.checkpoint;
  const before = checkpoint ? [{ name: "a majority before the suspension", ...checkpoint }] : [];
  const lists = [heads, [...before, ...checkpointsOf(members)]];
  return lists.flatMap((blocks) => blocks.flatMap((block) => pairWith(block, blocks)));
}

const forksAmong = (pairs: readonly [Held, Held][]) =>
  pairs.filter(([one, other]) => one.id !== other.id).sort(([one], [other]) => one.height - other.height);

export function checkpointsOf(members: readonly Member[]): Held[] {
  return members.flatMap((member) => {
    const node = answerOf(member)?.node;
    const checkpoints = node?.kind === "open" ? (node.checkpoints ?? []) : [];
    return checkpoints.map(({ height, id }) => ({ name: member.name, height, id }));
  });
}

function pairWith(block: Held, blocks: readonly Held[]): [Held, Held][] {
  const others = blocks.filter(({ name, height }) => name > block.name && height === block.height);
  return others.map((other) => [block, other]);
}

const STOP = "Stop sending transactions and keep all volumes.";

function describeFork(one: Held, other: Held): string {
  return `At height ${one.height}, ${one.name} holds block ${one.id} and ${other.name} holds ${other.id}.`;
}

function describeParting({ height, blocks, open }: Extract<Parting, { kind: "asked" }>): string {
  const held = sidesOf(blocks).map(({ hash, names }) => {
    return `${names.join(", ")} ${names.length === 1 ? "holds" : "hold"} block ${hash}`;
  });
  const first =
    open === undefined
      ? "It is the first height at which they differ."
      : `The first such height is not known: ${open}.`;
  return `At height ${height}, ${held.join(", and ")}. ${first} ${STOP}`;
}

/** Who holds the same block there; the most members first. */
export function sidesOf(blocks: readonly HeldBlock[]): { readonly hash: string; readonly names: string[] }[] {
  const hashes = [...new Set(blocks.map(({ hash }) => hash))];
  const sides = hashes.map((hash) => ({
    hash,
    names: blocks.filter((block) => block.hash === hash).map(({ member }) => member),
  }));
  return sides.sort((one, other) => other.names.length - one.names.length);
}
