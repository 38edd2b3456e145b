import { describe, expect, it } from "vitest";
import { shownText, steadyText } from "./steady-text.ts";

/** A comparison that takes everything for equal proves nothing. */
const tree = [
  "$ kubectl evnode status my-chain",
  "default/my-chain  ready (AllMembersReady), Running",
  "├─ members   3/3 ready, my-chain-1 leads, quorum Healthy",
  "│  ├─ my-chain-0   Follower   Running   ready   height 504   0 behind   RTT 3 ms   on node-0",
  "│  ├─ my-chain-1   Leader     Running   ready   height 504   0 behind   -          on node-0",
  "│  └─ my-chain-2   Follower   Running   ready   height 504   0 behind   RTT 3 ms   on node-0",
  "└─ network   longest round trip 3 ms (my-chain-1 to my-chain-0), the timing fits, recommended rttMax 25ms",
].join("\n");

const otherRun = [
  "$ kubectl evnode status my-chain",
  "default/my-chain  ready (AllMembersReady), Running",
  "├─ members   3/3 ready, my-chain-2 leads, quorum Healthy",
  "│  ├─ my-chain-0   Follower   Running   ready   height 9    1 behind   RTT 26 ms   on node-0",
  "│  ├─ my-chain-1   Follower   Running   ready   height 10   0 behind   RTT 1 ms    on node-0",
  "│  └─ my-chain-2   Leader     Running   ready   height 10   0 behind   -           on node-0",
  "├─ network   longest round trip 26 ms (my-chain-2 to my-chain-0), the timing fits",
  "│  └─ my-chain-2 measures 26 ms to my-chain-0, which measures 7 ms back",
  "└─ not well",
  "   └─ LeadershipStable is False for 9s, LeadershipFlaps: The leader changed more than 5 times within an hour.",
].join("\n");

describe("the steady text", () => {
  it("is one for two runs in which the same happened", () => {
    expect(steadyText(otherRun)).toBe(steadyText(tree));
  });

  it.each([
    ["a member that is not ready", "Leader     Running   ready", "Leader     Running   not ready"],
    ["another quorum", "quorum Healthy", "quorum AtRisk"],
    ["another number of members", "3/3 ready", "2/3 ready"],
    ["another reason", "AllMembersReady", "MembersNotReady"],
    ["a timing that is too short", "the timing fits", "the timing is too short"],
    ["a second leader", "my-chain-0   Follower", "my-chain-0   Leader"],
    ["a line more", "\n└─ network", "\n├─ pending   image\n└─ network"],
    ["another exit code", "Running\n", "Running\n$ echo $?\n3\n"],
  ])("shows %s", (_, found, changed) => {
    expect(tree).toContain(found);
    expect(steadyText(tree.replace(found, changed))).not.toBe(steadyText(tree));
  });

  it("has neither heights nor ages of the list of clusters", () => {
    const row = (leader: string, height: number, age: string) =>
      `my-chain   True    3/3       ${leader}   ${height}       AtRisk   Running   3/3       ${age}   AllMembersReady`;
    expect(steadyText(row("my-chain-2", 26, "65s"))).toBe(steadyText(row("my-chain-0", 4_711, "2h")));
    expect(steadyText(row("my-chain-2", 26, "65s"))).toContain("AtRisk Running 3/3");
  });
});

describe("the shown text", () => {
  it("has the names that readers know, and columns that fit them", () => {
    const printed = "NAME   IMAGE                       REASON\nseq    registry.test/node-image:1   Ready\n";
    expect(shownText(printed, [["registry.test/node-image:1", "app:1"]])).toBe(
      "NAME   IMAGE   REASON\nseq    app:1   Ready",
    );
  });
});
