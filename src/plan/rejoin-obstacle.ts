import type { Identity } from "../model/identity.ts";
import { majorityOf } from "../model/majority.ts";
import type { Member } from "../model/member.ts";
import { intentsOf } from "./intent.ts";
import { leadership } from "./quorum.ts";
import { isPresent, isRestarting } from "./rollout-scene.ts";
import type { Snapshot } from "./snapshot.ts";
import { standingOf } from "./standing.ts";

/**
 * What speaks against letting a member without its volume join now. It comes back as a voter without memory of its
 * votes, so all that lost nothing must take part, be a majority, and have one leader: then no vote that it forgot can
 * matter, and the blocks come from the others.
 */
export function rejoinObstacle(
  others: readonly Member[],
  snapshot: Snapshot,
  identity: Identity,
): string | undefined {
  const { members, parsed } = snapshot;
  const spec = intentsOf(snapshot, identity)?.current.spec;
  if (!spec) return "nobody knows what the members run";
  if (others.length < majorityOf(members.length)) return "the other members are no majority";
  const known = leadership(members);
  if (known.kind !== "one") return "not exactly one member leads";
  const maxBlocksBehind =
    parsed.kind === "valid" ? parsed.spec.readiness.maxBlocksBehind : spec.readiness.maxBlocksBehind;
  const view = { leader: known.leader, maxBlocksBehind, raftPort: spec.raft.port };
  for (const other of others) {
    const seen = standingOf(other, view);
    if (seen.kind !== "takesPart") return seen.why;
    // It still takes part, and is away in the next moment.
    if (isPresent(other) && isRestarting(other)) return `${other.name} restarts`;
  }
  return undefined;
}
