import { connect } from "node:net";
import type { Clock } from "../runtime/clock.ts";
import { errorCode } from "./disk.ts";
import type { Reach } from "./findings.ts";

/** Connects once and hangs up. A refusal is an answer; silence, or no route, is a path that is blocked. */
export function probeTcp(address: string, port: number, deadlineMs: number, clock: Clock): Promise<Reach> {
  return new Promise((resolve) => {
    const startMs = clock.monotonicMs();
    const socket = connect({ host: address, port });
    const finish = (reach: Reach) => {
      cancelDeadline();
      socket.destroy();
      resolve(reach);
    };
    const cancelDeadline = clock.after(deadlineMs, () =>
      finish({ kind: "timedOut", atMs: clock.monotonicMs() }),
    );
    socket.on("connect", () => {
      const atMs = clock.monotonicMs();
      finish({ kind: "reached", rttMs: atMs - startMs, atMs });
    });
    socket.on("error", (error) => {
      const atMs = clock.monotonicMs();
      const isRefused = ["ECONNREFUSED", "ECONNRESET"].includes(errorCode(error) ?? "");
      finish(isRefused ? { kind: "refused", rttMs: atMs - startMs, atMs } : { kind: "timedOut", atMs });
    });
  });
}
