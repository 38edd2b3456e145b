import { createHash } from "node:crypto";
import type { AgentAnswer } from "../../../src/model/agent-protocol.ts";
import type { PodRun } from "./pod-run.ts";
import { storedHeight } from "./volume.ts";

/** Blocks that a layer lacks when ev-node starts on it, in every other start; and how many of them it executes a second. */
const LACKS = 60;
const EXECUTES = 5;

/** How far the execution layer of a member is below its blocks. No chance is asked for it: other seeds stay as they are. */
export function layerLag({ hasLayer, process, uid, container, volume }: PodRun, nowMs: number): number {
  if (!hasLayer || process === undefined) return 0;
  const digest = createHash("sha256").update(`${uid} ${container.starts}`).digest();
  const lackedAtFirst = (digest[0] ?? 0) % 2 === 0 ? LACKS : 0;
  const executed = Math.floor((Math.max(0, nowMs - process.upAtMs) * EXECUTES) / 1_000);
  return Math.max(0, Math.min(lackedAtFirst - executed, storedHeight(volume)));
}

/** As the agent tells it. */
export function layerOf(
  run: PodRun,
  node: AgentAnswer["node"],
  nowMs: number,
): Pick<AgentAnswer, "execution"> {
  if (!run.hasLayer) return {};
  if (node.kind === "closed" || node.height === undefined) return { execution: { isEngineOpen: true } };
  const blocksBehind = layerLag(run, nowMs);
  return { execution: { height: node.height - blocksBehind, blocksBehind, isEngineOpen: true } };
}
