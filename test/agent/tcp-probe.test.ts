import { expect, test } from "vitest";
import { probeTcp } from "../../src/agent/tcp-probe.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { closedPort, startTcp } from "./servers.ts";

test("a port that takes connections is reached, and left alone again", async () => {
  const clock = new VirtualClock();
  const server = await startTcp();
  expect(await probeTcp("127.0.0.1", server.port, 1_000, clock)).toEqual({
    kind: "reached",
    rttMs: 0,
    atMs: 0,
  });
  expect(clock.pendingTimers).toBe(0);
  await server.close();
});

test("a port on which nobody listens is refused", async () => {
  const clock = new VirtualClock();
  expect(await probeTcp("127.0.0.1", await closedPort(), 1_000, clock)).toEqual({
    kind: "refused",
    rttMs: 0,
    atMs: 0,
  });
});

test("silence until the deadline is a blocked path", async () => {
  const clock = new VirtualClock();
  // Reserved for documentation: either nothing answers, or the network says at once that there is no way.
  const result = probeTcp("192.0.2.1", 5001, 1_000, clock);
  await clock.advance(1_000);
  expect(await result).toMatchObject({ kind: "timedOut" });
});
