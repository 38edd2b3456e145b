import type { Pod } from "../../../src/model/objects.ts";

/** Labels of every node, by which a pod may ask for one. */
const nodeLabels: Readonly<Record<string, string>> = {
  "kubernetes.io/os": "linux",
  "example.org/pool": "sequencers",
};

export const NODES = 3;
export const nodeName = (ordinal: number): string => `node-${ordinal}`;
export const nodeNames: readonly string[] = Array.from({ length: NODES }, (_, ordinal) => nodeName(ordinal));

/** More members than these run on further nodes, of which nobody takes care. */
export const isNode = (name: string): boolean => /^node-\d$/.test(name);

/** Why no node takes the pod; undefined when one does. */
export function unschedulable({ spec }: Pod): string | undefined {
  const wanted = Object.entries(spec?.nodeSelector ?? {});
  if (wanted.every(([label, value]) => nodeLabels[label] === value)) return undefined;
  return `0/${NODES} nodes are available: ${NODES} node(s) didn't match Pod's node affinity/selector.`;
}

/** What is wrong with nodes now. */
export class NodeTroubles {
  readonly #lost = new Map<string, { readonly sinceMs: number; readonly untilMs: number }>();
  readonly #slowUntilMs = new Map<string, number>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The machine is gone for a while: nothing runs there, and nobody says so. */
  lose(node: string, forMs: number): void {
    const nowMs = this.#nowMs();
    this.#lost.set(node, { sinceMs: nowMs, untilMs: nowMs + forMs });
  }

  /** Kubelet takes a long time to see what changed. */
  slow(node: string, forMs: number): void {
    this.#slowUntilMs.set(node, this.#nowMs() + forMs);
  }

  heal(): void {
    for (const [node, { sinceMs }] of this.#lost) this.#lost.set(node, { sinceMs, untilMs: this.#nowMs() });
    this.#slowUntilMs.clear();
  }

  isLost(node: string): boolean {
    return (this.#lost.get(node)?.untilMs ?? 0) > this.#nowMs();
  }

  lostForMs(node: string): number {
    const { sinceMs } = this.#lost.get(node) ?? {};
    return sinceMs !== undefined && this.isLost(node) ? this.#nowMs() - sinceMs : 0;
  }

  isSlow(node: string): boolean {
    return (this.#slowUntilMs.get(node) ?? 0) > this.#nowMs();
  }
}
