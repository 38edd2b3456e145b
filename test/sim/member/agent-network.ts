import type { AgentAnswer, BlockAnswer } from "../../../src/model/agent-protocol.ts";
import type { AskAgent, AskBlock } from "../../../src/observe/agent-client.ts";
import type { Clock } from "../../../src/runtime/clock.ts";
import { orAborted } from "../../../src/runtime/deadline.ts";
import type { Chance } from "../chance.ts";
import type { SimulatedAgent } from "./agent.ts";

export interface Listener {
  readonly agent: SimulatedAgent;
  readonly podUid: string;
  readonly answer: () => AgentAnswer;
  readonly blockAt: (height: number) => BlockAnswer;
}

export interface AgentNetworkOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  /** Of requests for single blocks: how many there are leaves the course of a seed as it is. */
  readonly blockChance: Chance;
  /** Who listens at an address now. */
  readonly at: (ip: string) => Listener | undefined;
  /** Share of requests, and of answers, that get lost. */
  readonly lossRate: () => number;
  readonly onLoss: () => void;
}

/** The network between the operator and the agents. What is lost is missed by nobody: the asker's time runs out. */
export class AgentNetwork {
  readonly #options: AgentNetworkOptions;
  readonly #silentUntilMs = new Map<string, number>();

  constructor(options: AgentNetworkOptions) {
    this.#options = options;
  }

  /** Nothing reaches this address for a while, and nothing comes from there. */
  silence(ip: string, forMs: number): void {
    this.#silentUntilMs.set(ip, this.#options.clock.monotonicMs() + forMs);
  }

  heal(): void {
    this.#silentUntilMs.clear();
  }

  readonly ask: AskAgent = async (ip, { after, waitMs }, signal) => {
    const { at, clock, chance } = this.#options;
    await this.#travel(ip, chance, signal);
    const listener = at(ip);
    if (listener === undefined) throw new Error("connection refused");
    if (after === listener.agent.version && waitMs > 0) {
      await orAborted(newsOf(listener.agent, clock, waitMs), signal);
    }
    const now = at(ip);
    // A container that ends takes its connections with it.
    if (now?.agent !== listener.agent) throw new Error("the connection was reset");
    const answer = now.answer();
    await this.#travel(ip, chance, signal);
    return answer;
  };

  /** As `ask`, for one block. */
  readonly askBlock: AskBlock = async ({ ip, podUid }, height, signal) => {
    const { at, blockChance } = this.#options;
    await this.#travel(ip, blockChance, signal);
    const listener = at(ip);
    if (listener?.podUid !== podUid) throw new Error("connection refused");
    const block = listener.blockAt(height);
    await this.#travel(ip, blockChance, signal);
    return block;
  };

  async #travel(ip: string, chance: Chance, signal: AbortSignal): Promise<void> {
    const { clock, lossRate, onLoss } = this.#options;
    const isSilent = (this.#silentUntilMs.get(ip) ?? 0) > clock.monotonicMs();
    const isLost = chance.is(lossRate());
    if (isLost) onLoss();
    if (isSilent || isLost) await orAborted(new Promise<never>(() => {}), signal);
    await clock.sleep(chance.between(1, 20), signal);
  }
}

function newsOf(agent: SimulatedAgent, clock: Clock, waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      forget();
      cancel();
      resolve();
    };
    const cancel = clock.after(waitMs, end);
    const forget = agent.onNews(end);
  });
}
