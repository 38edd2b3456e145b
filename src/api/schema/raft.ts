import * as z from "zod";
import { DURATION_PATTERN, parseDuration } from "../../model/duration.ts";
import { MOST_TRAILING_LOGS } from "../log-retention.ts";
import { celString, field, type Rule } from "./field.ts";
import { choice, durationBetween, integer, portNumber } from "./scalars.ts";

interface Timing {
  heartbeatTimeout: string;
  electionTimeout: string;
  leaderLeaseTimeout: string;
}

const isDuration = (value: string) => `${value}.matches(${celString(DURATION_PATTERN)})`;

/** Holds as well when one of the two is no duration: that is a problem of its own, already reported. */
function notLonger(shorter: keyof Timing, longer: keyof Timing): Rule<Timing> {
  return {
    cel: `!${isDuration(`self.${shorter}`)} || !${isDuration(`self.${longer}`)} || duration(self.${shorter}) <= duration(self.${longer})`,
    message: `spec.raft.timing.${shorter} must not be longer than ${longer}.`,
    holds: (timing) => {
      const [shorterMs, longerMs] = [parseDuration(timing[shorter]), parseDuration(timing[longer])];
      return shorterMs === undefined || longerMs === undefined || shorterMs <= longerMs;
    },
  };
}

const timing = field(
  z.object({
    heartbeatTimeout: durationBetween(
      "5ms",
      "1m",
      "A follower that hears nothing for one to two times this long stands for election.",
    ),
    electionTimeout: durationBetween(
      "5ms",
      "1m",
      "How long a candidate waits for votes, and the limit for handing leadership over. At least heartbeatTimeout.",
    ),
    leaderLeaseTimeout: durationBetween(
      "5ms",
      "1m",
      "A leader that reaches no majority for this long steps down. At most heartbeatTimeout.",
    ),
    sendTimeout: durationBetween(
      "1ms",
      "1m",
      "How long the leader waits to hand a block to Raft; a new leader waits five times this long for its own block store.",
    ),
  }),
  "The four time-outs, given explicitly. Not together with rttMax.",
  {
    rules: [
      notLonger("leaderLeaseTimeout", "heartbeatTimeout"),
      notLonger("heartbeatTimeout", "electionTimeout"),
    ],
  },
);

const oneTiming: Rule<{ rttMax?: string | undefined; timing?: object | undefined }> = {
  cel: "!has(self.rttMax) || !has(self.timing)",
  message: "spec.raft.rttMax and spec.raft.timing exclude each other; give one of them or neither.",
  holds: ({ rttMax, timing }) => rttMax === undefined || timing === undefined,
};

const oneRetention: Rule<{ absenceCovered?: string | undefined; trailingLogs?: number | undefined }> = {
  cel: "!has(self.absenceCovered) || !has(self.trailingLogs)",
  message:
    "spec.raft.absenceCovered and spec.raft.trailingLogs exclude each other; give one of them or neither.",
  holds: ({ absenceCovered, trailingLogs }) => absenceCovered === undefined || trailingLogs === undefined,
};

export const raft = field(
  z.object({
    port: portNumber(
      "TCP port of Raft on every member. It is part of the members' identity and cannot change.",
    ).exactOptional(),
    rttMax: durationBetween(
      "1ms",
      "5s",
      "Longest round-trip time between two members. The time-outs are then computed from it by ev-node's formulas; up to 25ms they are 92, 368, 46 and 50 ms. Without rttMax and timing the operator's defaults apply, which are longer than ev-node's own.",
    ).exactOptional(),
    timing: timing.exactOptional(),
    snapshotThreshold: integer(
      1,
      100_000_000,
      "Number of Raft log entries after which a snapshot is made. One block takes three entries.",
    ).exactOptional(),
    trailingLogs: integer(
      1,
      MOST_TRAILING_LOGS,
      "Number of Raft log entries kept after a snapshot, so that a member that was away can catch up from the log. One block takes three entries.",
    ).exactOptional(),
    absenceCovered: durationBetween(
      "1m",
      "240h",
      "How long a member may be away and still catch up from the log, in place of trailingLogs, which is then three times the number of blocks of that time. The log holds each block whole, and grows the volumes; after a longer absence the member gets its blocks from the others.",
    ).exactOptional(),
    snapshotsKept: integer(1, 100, "Number of Raft snapshots kept on each volume.").exactOptional(),
    afterOutage: choice(
      ["Level", "Start"],
      "What members do that start while none of them leads, as after a power cut. Level: they exchange their blocks as full nodes before Raft may elect a leader, some seconds in which no block that was served can be replaced. Start: they elect at once, as ev-node does by itself, and a block that was served may be replaced by another one.",
    ).exactOptional(),
  }),
  "Consensus between the members. Without effect where replicas is 1.",
  { rules: [oneTiming, oneRetention] },
);
