import type { Line, Span } from "./drawing.ts";
import type { Ending } from "./play.ts";

const plain = (text: string): Line => [{ text, tone: "plain" }];

const next = [
  "Next:",
  "",
  "  npm run demo -- --real     the same operator on a real cluster, on this machine",
  "",
  "  helm install evnode-operator helm --namespace evnode-system --create-namespace \\",
  "    --set image.repository=registry.example.com/evnode-operator",
  "",
  "Times are the simulation's; those of real clusters are in docs/measurements.md.",
];

/** How it ended, and what to do next. */
export function summary(ending: Ending, realMs: number): readonly Line[] {
  const { failures, frame, isStopped } = ending;
  if (isStopped) return [[], plain("Stopped. This was a simulation: nothing is left of it.")];
  const begun = frame.scenes.filter(({ state }) => state === "ended" || state === "failed");
  const widest = Math.max(...begun.map(({ title }) => title.length));
  const scenes = begun.map(({ title, state, told }): Line => {
    const isWell = state === "ended";
    const mark: Span = { text: isWell ? "  ✓ " : "  ✗ ", tone: isWell ? "good" : "bad" };
    return [mark, { text: `${title.padEnd(widest)}  ${told}`, tone: "plain" }];
  });
  if (failures.length > 0)
    return [
      [],
      strong("The simulation did not end as it has to:", "bad"),
      [],
      ...scenes,
      [],
      ...failures.map(failure),
    ];
  return [
    [],
    strong(`All ${scenes.length} scenes of the simulation ended as they have to:`, "good"),
    [],
    ...scenes,
    [],
    plain(`  ${counts(ending, realMs)}`),
    [],
    ...next.map(plain),
  ];
}

const strong = (text: string, tone: "good" | "bad"): Line => [{ text, tone }];
const failure = (text: string): Line => [{ text: `  ${text}`, tone: "bad" }];

function counts({ blocks, replaced, leaderChanges, frame }: Ending, realMs: number): string {
  const [real, simulated] = [realMs, frame.nowMs].map((ms) => `${Math.round(ms / 1000)} s`);
  return `${real}, ${simulated} simulated: ${blocks} blocks, ${leaderChanges} leader changes, blocks replaced: ${replaced}`;
}
