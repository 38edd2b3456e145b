import type { Campaign } from "./campaign.ts";
import { blockTimes } from "./campaigns/block-times.ts";
import { coldStarts } from "./campaigns/cold-starts.ts";
import { drills } from "./campaigns/drills.ts";
import { failover } from "./campaigns/failover.ts";
import { firstUse } from "./campaigns/first-use.ts";
import { guideDangers } from "./campaigns/guide-dangers.ts";
import { image } from "./campaigns/image.ts";
import { membershipFaults } from "./campaigns/membership-faults.ts";
import { memberships } from "./campaigns/memberships.ts";
import { memory } from "./campaigns/memory.ts";
import { operatorAway } from "./campaigns/operator-away.ts";
import { operatorFailover } from "./campaigns/operator-failover.ts";
import { operatorKills } from "./campaigns/operator-kills.ts";
import { quiet } from "./campaigns/quiet.ts";
import { raftTiming } from "./campaigns/raft-timing.ts";
import { repairs } from "./campaigns/repairs.ts";
import { rolloutStorms } from "./campaigns/rollout-storms.ts";
import { rollouts } from "./campaigns/rollouts.ts";
import { scale } from "./campaigns/scale.ts";
import { suspensions } from "./campaigns/suspensions.ts";
import { totalStops } from "./campaigns/total-stops.ts";

export const campaigns: readonly Campaign[] = [
  blockTimes,
  coldStarts,
  drills,
  failover,
  firstUse,
  guideDangers,
  image,
  quiet,
  memory,
  memberships,
  membershipFaults,
  operatorAway,
  operatorFailover,
  operatorKills,
  raftTiming,
  repairs,
  rollouts,
  rolloutStorms,
  scale,
  suspensions,
  totalStops,
];
