import type { Lease } from "../../../src/model/objects.ts";
import { until } from "../harness/until.ts";
import type { World } from "../harness/world.ts";
import { leasePath } from "./operator.ts";

/** Who held the operator's Lease, one after the other, as a watch delivers it. */
export class LeaseWatch {
  /** "" is nobody. */
  readonly holders: string[] = [];
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;

  private constructor({ api }: World) {
    const [collection, name] = [leasePath.slice(0, leasePath.lastIndexOf("/")), leasePath.split("/").at(-1)];
    const query = `?fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`;
    this.#watching = api.watch<Lease>(
      collection + query,
      ({ object }) => this.#note(object.spec?.holderIdentity ?? ""),
      this.#stop.signal,
    );
  }

  static async start(world: World): Promise<LeaseWatch> {
    const watch = new LeaseWatch(world);
    await until(
      "the operator's Lease",
      async () => (watch.holders.length > 0 ? { found: true } : { missing: "nothing was delivered" }),
      { withinMs: 30_000 },
    );
    return watch;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  #note(holder: string): void {
    if (holder !== this.holders.at(-1)) this.holders.push(holder);
  }
}
