interface Entry {
  readonly key: string;
  readonly atMs: number;
  readonly order: number;
}

/** Keys with the time at which each is due; of two times for one key the earlier one counts. */
export class DelayHeap {
  readonly #heap: Entry[] = [];
  /** The valid entry of each key. Entries of the heap that are not in here were replaced or dropped. */
  readonly #valid = new Map<string, Entry>();
  #order = 0;

  get size(): number {
    return this.#valid.size;
  }

  /** Entries in memory, those included that were replaced or dropped: a few times `size` at most. */
  get entryCount(): number {
    return this.#heap.length;
  }

  add(key: string, atMs: number): void {
    const known = this.#valid.get(key);
    if (known !== undefined && known.atMs <= atMs) return;
    const entry = { key, atMs, order: this.#order++ };
    this.#valid.set(key, entry);
    this.#push(entry);
    this.#compact();
  }

  drop(key: string): void {
    this.#valid.delete(key);
  }

  clear(): void {
    this.#valid.clear();
    this.#heap.length = 0;
  }

  nextAtMs(): number | undefined {
    this.#dropStale();
    return this.#heap[0]?.atMs;
  }

  /** Removes and returns a key that is due; equal times come in the order of adding. */
  takeDue(nowMs: number): string | undefined {
    this.#dropStale();
    const first = this.#heap[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    this.#pop();
    this.#valid.delete(first.key);
    return first.key;
  }

  #dropStale(): void {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#valid.get(first.key) === first) return;
      this.#pop();
    }
  }

  /** Stale entries leave when they surface; a key that is put off again and again must not pile them up. */
  #compact(): void {
    if (this.#heap.length <= 64 || this.#heap.length <= 4 * this.#valid.size) return;
    // A sorted array is a heap.
    const live = [...this.#valid.values()].sort((a, b) => (before(a, b) ? -1 : 1));
    this.#heap.splice(0, this.#heap.length, ...live);
  }

  #push(entry: Entry): void {
    let at = this.#heap.length;
    this.#heap.push(entry);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = this.#heap[parentAt];
      if (parent === undefined || before(parent, entry)) break;
      this.#heap[at] = parent;
      at = parentAt;
    }
    this.#heap[at] = entry;
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    let at = 0;
    for (;;) {
      const childAt = this.#smallerChild(at);
      const child = this.#heap[childAt];
      if (child === undefined || before(last, child)) break;
      this.#heap[at] = child;
      at = childAt;
    }
    this.#heap[at] = last;
  }

  #smallerChild(at: number): number {
    const leftAt = 2 * at + 1;
    const left = this.#heap[leftAt];
    const right = this.#heap[leftAt + 1];
    return left !== undefined && right !== undefined && before(right, left) ? leftAt + 1 : leftAt;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs;
}
