import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Status } from "../../../src/api/evnodecluster.ts";
import { annotations } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { claimName } from "../../../src/model/names.ts";
import type { PersistentVolumeClaim } from "../../../src/model/objects.ts";
import { fencesOf, read } from "../../hack/documents.ts";
import { Owner } from "./owner.ts";
import { undisturbedOperator } from "./undisturbed-operator.ts";
import { Universe } from "./universe.ts";
import { MAIN } from "./wanted.ts";

const { namespace, name } = MAIN;

/** The claim that docs/disaster.md shows. */
const [shown] = fencesOf(read("docs/disaster.md")).filter(({ language }) => language === "yaml");
const manifest = parse(shown?.text ?? "") as PersistentVolumeClaim;

const approval = /evnode\.dev\/approve-rejoin=(\S+)/;
const started = { metadata: { annotations: { [annotations.started]: "1" } } };

/** A cluster of three with its operator, and what its owner does by hand. */
class RestoredCluster {
  readonly universe = new Universe(1);

  static async start(): Promise<RestoredCluster> {
    const cluster = new RestoredCluster();
    const owner = new Owner(cluster.universe);
    undisturbedOperator(cluster.universe).tend();
    owner.apply(MAIN);
    await cluster.until("it runs", ({ phase, height = 0 }) => phase === "Running" && height > 10);
    return cluster;
  }

  get status(): Status {
    return this.universe.registry.store.get(kinds.cluster, MAIN)?.status ?? {};
  }

  reasonOf(type: string): string | undefined {
    return this.status.conditions?.find((condition) => condition.type === type)?.reason;
  }

  /** What the message about the volumes has at a place; empty where it does not have it. */
  told(place: RegExp): string {
    const message = this.status.conditions?.find(({ type }) => type === "VolumesReady")?.message ?? "";
    return place.exec(message)?.[1] ?? "";
  }

  async until(what: string, isSo: (status: Status) => boolean): Promise<void> {
    for (let looks = 0; looks < 1200; looks++) {
      if (isSo(this.status)) return;
      this.universe.tend();
      await this.universe.clock.advance(250);
    }
    throw new Error(`not seen: ${what}; ${JSON.stringify(this.status.conditions)}`);
  }

  edit(spec: { readonly suspend: boolean }): void {
    this.universe.registry.patch(kinds.cluster, MAIN, { spec });
  }

  /** The volume behind a member's claim. */
  volumeOf(ordinal: number): string {
    const ref = { namespace, name: claimName(name, ordinal) };
    return this.universe.registry.store.get(kinds.claim, ref)?.spec?.volumeName ?? "";
  }

  async loseClaim(ordinal: number): Promise<void> {
    const ref = { namespace, name: claimName(name, ordinal) };
    const { registry } = this.universe;
    registry.delete(kinds.claim, ref, { propagation: "Background" });
    const pod = { namespace, name: `${name}-${ordinal}` };
    if (registry.store.get(kinds.pod, pod)) registry.delete(kinds.pod, pod, { propagation: "Background" });
    const lost = this.volumeOf(ordinal);
    await this.until(`claim ${ref.name} is another one, or none`, () => this.volumeOf(ordinal) !== lost);
  }

  /** As the page says, on a volume that is there already. */
  restore(
    ordinal: number,
    volumeName: string,
    notes: PersistentVolumeClaim["metadata"]["annotations"],
  ): void {
    const { registry } = this.universe;
    const { labels } = manifest.metadata;
    const metadata = {
      namespace,
      name: claimName(name, ordinal),
      ...(labels && { labels }),
      ...(notes && { annotations: notes }),
    };
    const claim = registry.create(kinds.claim, {
      ...manifest,
      metadata,
      spec: { ...manifest.spec, volumeName },
    });
    registry.replaceStatus(kinds.claim, { ...claim, status: { phase: "Bound" } });
  }

  async suspend(): Promise<void> {
    this.edit({ suspend: true });
    const isGone = () =>
      !this.universe.registry.store.all(kinds.pod).some((pod) => pod.metadata.namespace === namespace);
    await this.until("no member runs", ({ phase }) => phase === "Suspended" && isGone());
  }
}

/** The volumes of two of three members are lost, and brought back behind new claims while the cluster is suspended. */
async function restoredMajority(notes: PersistentVolumeClaim["metadata"]["annotations"]): Promise<{
  readonly cluster: RestoredCluster;
  readonly height: number;
}> {
  const cluster = await RestoredCluster.start();
  const kept = [1, 2].map((ordinal) => [ordinal, cluster.volumeOf(ordinal)] as const);
  for (const [ordinal] of kept) await cluster.loseClaim(ordinal);
  await cluster.until("the loss is told", () => cluster.reasonOf("VolumesReady") === "VolumeLost");
  const { height = 0 } = cluster.status;
  await cluster.suspend();
  for (const [ordinal, volume] of kept) {
    await cluster.loseClaim(ordinal);
    cluster.restore(ordinal, volume, notes);
  }
  cluster.edit({ suspend: false });
  await cluster.until(
    "blocks come again",
    (status) => status.phase === "Running" && (status.height ?? 0) > height,
  );
  return { cluster, height };
}

describe("a majority of volumes that is brought back as docs/disaster.md says", () => {
  it("goes on with the chain, and nothing is asked", async () => {
    const { cluster } = await restoredMajority(manifest.metadata.annotations);
    expect(cluster.reasonOf("VolumesReady")).toBe("VolumesIntact");
    expect(cluster.reasonOf("ChainSafe")).toBe("NoForkSeen");
    expect(cluster.universe.violations).toEqual([]);
  });

  it("goes on as well without the annotation, and its owner is asked about each copy", async () => {
    const { cluster } = await restoredMajority(undefined);
    expect(cluster.reasonOf("VolumesReady")).toBe("VolumeLost");
    expect(cluster.reasonOf("ChainSafe")).toBe("NoForkSeen");

    // As the messages say, one after the other: the first on its claim, the last by an approval.
    const claim = cluster.told(/ persistentvolumeclaims\/(\S+) evnode\.dev\/started=1/);
    cluster.universe.registry.patch(kinds.claim, { namespace, name: claim }, started);
    await cluster.until("an approval does for the other", () => cluster.told(approval) !== "");
    const member = cluster.told(approval);
    cluster.universe.approvals.allow(namespace, member);
    cluster.universe.registry.patch(kinds.cluster, MAIN, {
      metadata: { annotations: { [annotations.approveRejoin]: member } },
    });
    await cluster.until("all are accepted", () => cluster.reasonOf("VolumesReady") === "VolumesIntact");
    expect(cluster.universe.violations).toEqual([]);
  });
});
