import { describe, expect, it } from "vitest";
import { KubeError } from "../../src/kube/errors.ts";
import { kinds } from "../../src/model/kinds.ts";
import { cluster } from "../builders.ts";
import { namespaceKind } from "../namespace-kind.ts";
import { seededRandom } from "../runtime/seeded-random.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import type { Faults } from "../sim/faults.ts";
import { SimulatedServer } from "../sim/simulated-server.ts";
import { run } from "./plugin-run.ts";
import { RecordedTerminal } from "./recorded-terminal.ts";
import { wellStatus } from "./statuses.ts";

/** A server with one cluster, and somebody who watches it. */
function watching(args: readonly string[], { width, faults = {} }: { width?: number; faults?: Faults } = {}) {
  const clock = new VirtualClock();
  const server = new SimulatedServer({ clock, random: seededRandom(1) });
  const { registry } = server;
  registry.create(namespaceKind, { apiVersion: "v1", kind: "Namespace", metadata: { name: "rollup" } });
  const ref = { namespace: "rollup", name: "seq" };
  const { spec, apiVersion, kind } = cluster();
  registry.create(kinds.cluster, { apiVersion, kind, metadata: ref, spec });
  const client = server.client({ name: "owner", faults });
  const terminal = new RecordedTerminal([], width);
  const stopping = new AbortController();
  const ended = run(["status", ...args, "--watch"], {
    api: client,
    clock,
    terminal,
    signal: stopping.signal,
  });
  const tell = (height: number) => {
    const now = registry.require(kinds.cluster, ref);
    registry.replaceStatus(kinds.cluster, { ...now, status: { ...wellStatus, height } });
  };
  const stop = () => {
    stopping.abort(new Error("stopped by SIGINT"));
    return ended;
  };
  return { clock, registry, ref, client, terminal, tell, stop, ended };
}

describe("status --watch", () => {
  it("prints every change where there is no screen, and ends with what it saw last", async () => {
    const { clock, terminal, tell, stop } = watching(["seq"]);
    await clock.advance(1_000);
    tell(101);
    await clock.advance(1_000);
    tell(102);
    await clock.advance(60_000);
    expect(terminal.printed).toHaveLength(3);
    expect(terminal.printed[0]).toContain("No operator has looked at it yet.");
    expect(terminal.printed[1]).toContain("height 101");
    expect(terminal.printed[2]).toContain("height 102");
    expect((await stop()).code).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("draws anew on a screen", async () => {
    const { clock, terminal, tell, stop } = watching(["seq"], { width: 80 });
    tell(101);
    await clock.advance(6_000);
    expect(terminal.drawn.length).toBeGreaterThan(1);
    expect(terminal.drawn.at(-1)).toContain("height 101");
    expect(terminal.printed).toEqual([]);
    expect((await stop()).code).toBe(0);
  });

  it.each(["broken", "closed", "mute"] as const)(
    "goes on after a watch that is %s, with what was missed",
    async (end) => {
      const { clock, client, terminal, tell, stop } = watching(["seq"]);
      tell(101);
      await clock.advance(5_000);
      client.endWatches(end, kinds.cluster);
      tell(102);
      await clock.advance(300_000);
      expect(terminal.printed.at(-1)).toContain("height 102");
      tell(103);
      await clock.advance(1_000);
      expect(terminal.printed.at(-1)).toContain("height 103");
      expect((await stop()).code).toBe(0);
    },
  );

  it("says what is wrong while the server is away, and that what is shown may be old", async () => {
    let isAway = false;
    const faults: Faults = {
      before: () => (isAway ? { error: new KubeError("Unavailable", "the server is away") } : undefined),
    };
    const { clock, client, terminal, tell, stop } = watching(["seq"], { faults });
    tell(101);
    await clock.advance(5_000);
    isAway = true;
    client.endWatches("broken", kinds.cluster);
    await clock.advance(5_000);
    expect(terminal.told[0]).toMatch(/asked again in \d+s, what is shown may be old$/);
    isAway = false;
    tell(102);
    await clock.advance(60_000);
    expect(terminal.printed.at(-1)).toContain("height 102");
    const { length } = terminal.told;
    await clock.advance(60_000);
    expect(terminal.told).toHaveLength(length);
    expect((await stop()).code).toBe(0);
  });

  it("ends when the server refuses", async () => {
    let isRefused = false;
    const faults: Faults = {
      before: () =>
        isRefused ? { error: new KubeError("Forbidden", "cannot list EvNodeCluster rollup: no") } : undefined,
    };
    const { clock, client, ended } = watching([], { faults });
    await clock.advance(5_000);
    isRefused = true;
    client.endWatches("broken", kinds.cluster);
    await clock.advance(60_000);
    const { code, told } = await ended;
    expect(code).toBe(1);
    expect(told).toMatch(/^error: cannot list EvNodeCluster rollup: no\nAsk for the rights/);
  });

  it("says when the cluster is gone", async () => {
    const { clock, registry, ref, terminal, stop } = watching(["seq"]);
    await clock.advance(1_000);
    registry.delete(kinds.cluster, ref, { propagation: "Background" });
    await clock.advance(1_000);
    expect(terminal.printed.at(-1)).toBe("EvNodeCluster seq is gone.");
    expect((await stop()).code).toBe(0);
  });
});
