/** How often each fault really happened. */
export class FaultCounts {
  readonly #counts = new Map<string, number>();

  add(fault: string, times = 1): void {
    this.#counts.set(fault, (this.#counts.get(fault) ?? 0) + times);
  }

  of(fault: string): number {
    return this.#counts.get(fault) ?? 0;
  }

  addAll(other: FaultCounts): void {
    for (const [fault, times] of other.entries()) this.add(fault, times);
  }

  entries(): readonly (readonly [fault: string, times: number])[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
