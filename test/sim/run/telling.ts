import type { FaultCounts } from "./fault-counts.ts";
import type { Result } from "./run-seed.ts";
import type { Profile } from "./simulated-operator.ts";

/** What went wrong, what came before it, and how to see it again. */
export function failureOf(
  { seed, violations, history }: Result,
  lines: number,
  profile: Profile = "usual",
): string {
  const what = violations.slice(0, 3).map((one) => `  ${one}`);
  const replay = `npm run sim -- --seed ${seed}${profile === "usual" ? "" : ` --profile ${profile}`}`;
  return [`seed ${seed} failed; replay it with: ${replay}`, ...what, ...history.last(lines)].join("\n");
}

export function faultTable(counts: FaultCounts): string {
  return counts
    .entries()
    .map(([fault, times]) => `${String(times).padStart(7)}  ${fault}`)
    .join("\n");
}
