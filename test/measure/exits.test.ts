import { expect, it } from "vitest";
import { firstStartRace, leadershipLost, readExit } from "../../hack/measure/exits.ts";

it.each([
  ["usage: …\n  --home string\n\nleader lock lost\n", leadershipLost, "leader lock lost"],
  [
    "error while starting leader election: bootstrap cluster: bootstrap only works on new clusters\n",
    firstStartRace,
    "error while starting leader election: bootstrap cluster: bootstrap only works on new clusters",
  ],
  ["something new\n", "Unknown", "something new"],
  ["", "Unknown", ""],
])("the last words of %j mean %s", (log, reason, lastWords) => {
  expect(readExit(log)).toEqual({ reason, lastWords });
});
