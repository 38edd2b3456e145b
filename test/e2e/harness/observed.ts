import { afterAll, beforeAll } from "vitest";
import type { Cluster } from "./cluster.ts";
import { Observer } from "./observer.ts";

export interface Observed {
  readonly cluster: Cluster;
  readonly observer: Observer;
}

/** A cluster that runs before the tests of a group begin, and is observed from before its first block on. */
export function useObserved(make: () => Cluster): () => Observed {
  let observed: Observed | undefined;
  beforeAll(async () => {
    const cluster = make();
    observed = { cluster, observer: new Observer(cluster) };
    await cluster.apply();
    await cluster.isRunning();
  });
  afterAll(async () => {
    await observed?.observer.stop();
  });
  return () => {
    if (!observed) throw new Error("the cluster of this group does not run yet");
    return observed;
  };
}
