import { answerOf, type Member } from "../model/member.ts";
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
 * held before the last suspension must still be there, too.
 */
export function compareBlocks({ members, statefulSet }: Snapshot): Comparison {
  const heads = headsOf(members).map(({ name, height, hash }): Held => ({ name, height, id: hash }));
  const checkpoint = suspensionOn(statefulSet)?.checkpoint;
  const before = checkpoint ? [{ name: "a majority before the suspension", ...checkpoint }] : [];
  const lists = [heads, [...before, ...checkpointsOf(members)]];
  const pairs = lists.flatMap((blocks) => blocks.flatMap((block) => pairWith(block, blocks)));
  const fork = pairs.find(([one, other]) => one.id !== other.id);
  if (fork) return { kind: "forked", message: describeFork(...fork) };
  return pairs.length === 0
    ? { kind: "nothing" }
    : { kind: "equal", height: Math.max(...pairs.map(([{ height }]) => height)) };
}

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

function describeFork(one: Held, other: Held): string {
  return `At height ${one.height}, ${one.name} holds block ${one.id} and ${other.name} holds ${other.id}. Stop sending transactions and keep all volumes.`;
}
