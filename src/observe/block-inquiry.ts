import type { BlockAnswer } from "../model/agent-protocol.ts";
import { answerOf, type Member } from "../model/member.ts";
import type { Clock } from "../runtime/clock.ts";
import type { AskBlock } from "./agent-client.ts";
import { within } from "./within.ts";

const REQUEST_DEADLINE_MS = 1_000;

/** Blocks by member, of those that told theirs, and the claim of the volume on which each lies. */
export type Blocks = ReadonlyMap<string, { readonly hash: string; readonly claim: string | undefined }>;

export const differ = (blocks: Blocks): boolean =>
  new Set([...blocks.values()].map(({ hash }) => hash)).size > 1;

interface Told {
  readonly blocks: Blocks;
  readonly pruned: ReadonlySet<string>;
  /** Why one of them tells no block, in words that stay. */
  readonly silent: string | undefined;
}

export const nobodyAsked: Told = { blocks: new Map(), pruned: new Set(), silent: undefined };

interface InquiryDependencies {
  readonly ask: AskBlock;
  readonly clock: Clock;
  /** Of the whole look. */
  readonly signal: AbortSignal;
}

/** Asks all members for one block at a time. Who does not answer is asked no more. */
export class Inquiry {
  readonly #members: readonly Member[];
  readonly #given: InquiryDependencies;
  readonly #mute = new Set<string>();

  constructor(members: readonly Member[], given: InquiryDependencies) {
    this.#members = members;
    this.#given = given;
  }

  /** The time of the look ran out. */
  get isOver(): boolean {
    return this.#given.signal.aborted;
  }

  /** Whether a member still has what lay on the volume of this claim. */
  hasVolume(name: string, claim: string | undefined): boolean {
    const member = this.#members.find((one) => one.name === name);
    return member !== undefined && member.claim?.uid === claim && answerOf(member)?.volume.kind !== "empty";
  }

  async at(height: number): Promise<Told> {
    const all = await Promise.all(
      this.#members.map(async (member) => {
        const { name, claim } = member;
        return { name, claim: claim?.uid, block: await this.#of(member, height) };
      }),
    );
    const blocks = all.flatMap(({ name, claim, block }) => {
      return block.kind === "held" ? [[name, { hash: block.hash, claim }] as const] : [];
    });
    const pruned = all.flatMap(({ name, block }) => (block.kind === "pruned" ? [name] : []));
    const reasons = all.flatMap(({ name, block }) => reasonOf(name, block, height) ?? []);
    return { blocks: new Map(blocks), pruned: new Set(pruned), silent: reasons[0] };
  }

  async #of({ name, pod }: Member, height: number): Promise<Answer> {
    if (!pod?.ip || pod.terminating || this.#mute.has(name)) return noAnswer;
    const { ask, clock, signal } = this.#given;
    const target = { ip: pod.ip, podUid: pod.uid };
    try {
      return await within(clock, REQUEST_DEADLINE_MS, signal, async (limited) =>
        ask(target, height, limited),
      );
    } catch {
      this.#mute.add(name);
      return noAnswer;
    }
  }
}

type Answer = BlockAnswer | { readonly kind: "cannot" };
const noAnswer: Answer = { kind: "unknown", why: "no answer" };

function reasonOf(name: string, block: Answer, height: number): string | undefined {
  switch (block.kind) {
    case "held":
      return undefined;
    case "pruned":
      return `${name} has pruned block ${height}`;
    case "cannot":
      return `the agent of ${name} is of an earlier version, which does not tell single blocks`;
    case "unknown":
      return `${name} does not tell its block ${height}`;
  }
}
