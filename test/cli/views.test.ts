import { describe, expect, it } from "vitest";
import type { Status } from "../../src/api/evnodecluster.ts";
import { coloured, fitted, plain, widthOf } from "../../src/cli/paint.ts";
import { planText } from "../../src/cli/plan-text.ts";
import { statusTable } from "../../src/cli/status-table.ts";
import { statusTree } from "../../src/cli/status-tree.ts";
import { renderTable } from "../../src/cli/table.ts";
import { renderTree } from "../../src/cli/tree.ts";
import { sampleStatus } from "../api/sample-status.ts";
import { cluster, NOW_MS } from "../builders.ts";
import { condition, wellStatus } from "./statuses.ts";

const treeOf = (status: Status | undefined) =>
  renderTree(statusTree(cluster(status === undefined ? {} : { status }), NOW_MS, plain)).join("\n");

const lines = (...all: readonly string[]) => all.join("\n");

describe("the tree of a cluster", () => {
  it("shows one that is well", () => {
    expect(treeOf(wellStatus)).toBe(
      lines(
        "rollup/seq  ready (AllMembersReady), Running",
        "├─ chain     rollup-1, height 100, example.org/testapp:1, 1 leader change within the hour",
        "├─ members   3/3 ready, seq-0 leads, quorum Healthy",
        "│  ├─ seq-0   Leader     Running   ready   height 100   0 behind   -          on node-a",
        "│  ├─ seq-1   Follower   Running   ready   height 100   0 behind   RTT 2 ms   on node-b",
        "│  └─ seq-2   Follower   Running   ready   height 99    1 behind   RTT 3 ms   on node-c",
        "├─ network   longest round trip 3 ms (seq-0 to seq-2), the timing fits",
        "├─ last drill    Succeeded, 2h ago: seq-1 stepped down and seq-0 leads. The gap was 600 ms, in which 2 blocks would have fitted.",
        "└─ last repair   seq-2 was rebuilt, ordered 3h ago; it took part again 2h ago",
      ),
    );
  });

  it("shows a rollout with what it waits for, and what is not well", () => {
    const status: Status = {
      ...wellStatus,
      phase: "Updating",
      conditions: [
        condition("Ready", "True", "AllMembersReady", "All is well."),
        condition("TimingFits", "Unknown", "RoundTripsUnknown", "No round trip was measured yet."),
        condition("Reconciling", "True", "RollingOut", "A change of image is taken to the members."),
        condition("Stalled", "False", "NotStalled", "Nothing needs a person."),
      ],
      rollout: {
        target: "0123456789",
        changes: ["image"],
        plan: [
          { member: "seq-2", way: "Restart", reason: "It follows.", state: "Done" },
          { member: "seq-1", way: "Replace", reason: "It follows.", state: "UnderWay" },
          { member: "seq-0", way: "Restart", reason: "It leads, so it comes last.", state: "Waiting" },
        ],
        next: "seq-1",
        waitingFor: "seq-1 is more than 15 blocks behind",
        leaderChanges: 0,
      },
      lastDrill: undefined,
      repairs: undefined,
    };
    expect(treeOf(status).split("\n").slice(6)).toEqual([
      "├─ rollout   a change of image: 1 of 3 done, seq-1 is next, leader changes 0",
      "│  ├─ ✔ seq-2   done        restarted in its pod   It follows.",
      "│  ├─ ▶ seq-1   under way   gets a new pod         It follows.",
      "│  ├─ ○ seq-0   waiting     restarted in its pod   It leads, so it comes last.",
      "│  └─ waits: seq-1 is more than 15 blocks behind",
      "├─ network   longest round trip 3 ms (seq-0 to seq-2)",
      "└─ not well",
      "   ├─ TimingFits is Unknown for 60m, RoundTripsUnknown: No round trip was measured yet.",
      "   └─ Reconciling is True for 60m, RollingOut: A change of image is taken to the members.",
    ]);
  });

  it("shows a member that is away, and of what is not told that it is unknown", () => {
    const text = treeOf({ ...sampleStatus, observedGeneration: 1 });
    expect(text).toContain("demo-2   Unknown    Failed    not ready   height unknown");
    expect(text).toContain("lag unknown   RTT unknown   no node");
    expect(text).toContain("│     ├─ back-off\n│     └─ last exit: LeadershipLost");
    expect(text).toContain("demo-0 measures 47 ms to demo-1, which measures 12 ms back");
  });

  it.each([
    {
      name: "nobody has looked at",
      status: undefined,
      says: "rollup/seq  unknown\n└─ No operator has looked at it yet.",
    },
    {
      name: "nobody has looked at, with the generation that the API server fills in",
      status: { observedGeneration: -1 },
      says: "rollup/seq  unknown\n└─ No operator has looked at it yet.",
    },
    {
      name: "was changed since",
      status: { ...wellStatus, observedGeneration: 0 },
      says: "├─ The spec was changed, and no operator has looked at it since; this is about the spec before.",
    },
    { name: "nobody leads", status: { ...wellStatus, leader: undefined }, says: "nobody is known to lead" },
  ])("says of one that $name", ({ status, says }) => {
    expect(treeOf(status)).toContain(says);
  });
});

describe("the table of clusters", () => {
  const options = { nowMs: NOW_MS, paint: plain, isWide: false, hasNamespaces: false };
  const metadata = { creationTimestamp: new Date(NOW_MS - 5 * 86_400_000).toISOString() };

  it("has a line for each, also for one that nobody has looked at", () => {
    expect(
      statusTable(
        [cluster({ metadata, status: wellStatus }), cluster({ metadata: { ...metadata, name: "other" } })],
        options,
      ),
    ).toEqual([
      "NAME    READY     MEMBERS   LEADER   HEIGHT   QUORUM    PHASE     UPDATED   AGE   REASON",
      "seq     True      3/3       seq-0    100      Healthy   Running   3/3       5d    AllMembersReady",
      "other   Unknown   -         -        -        -         -         -         5d    -",
    ]);
  });

  it("has more columns when it is wide or of all namespaces", () => {
    const [header, row] = statusTable([cluster({ metadata, status: wellStatus })], {
      ...options,
      isWide: true,
      hasNamespaces: true,
    });
    expect(header?.split(/ +/)).toEqual(
      "NAMESPACE NAME READY MEMBERS LEADER HEIGHT QUORUM PHASE UPDATED AGE CHAIN IMAGE REASON".split(" "),
    );
    expect(row?.split(/ +/)).toEqual(
      "rollup seq True 3/3 seq-0 100 Healthy Running 3/3 5d rollup-1 example.org/testapp:1 AllMembersReady".split(
        " ",
      ),
    );
  });
});

describe("a plan", () => {
  it("tells how to approve it only while it waits for that", () => {
    const rollout: Status["rollout"] = {
      changes: ["image", "log.level"],
      planHash: "0a1b2c3d4e",
      plan: [{ member: "seq-2", way: "Restart", reason: "It follows.", state: "Waiting" }],
    };
    const waits = condition("RolloutComplete", "False", "PlanAwaitsApproval", "It waits.");
    expect(planText(cluster({ status: { ...wellStatus, rollout, conditions: [waits] } }), plain)).toEqual([
      "changes   image, log.level",
      "plan      0a1b2c3d4e",
      "",
      "  ○ seq-2   waiting   restarted in its pod   It follows.",
      "",
      "To carry it out: kubectl evnode approve seq --namespace rollup --plan 0a1b2c3d4e",
    ]);
    const paused = condition("RolloutComplete", "False", "RolloutPaused", "The mode is Paused.");
    const text = planText(cluster({ status: { ...wellStatus, rollout, conditions: [paused] } }), plain);
    expect(text.at(-1)).toBe("The mode is Paused.");
  });

  it("is not made up when there is none", () => {
    expect(planText(cluster({ status: wellStatus }), plain)).toEqual(["Every member runs the spec."]);
    expect(planText(cluster(), plain)).toEqual(["No operator has told anything about rollouts yet."]);
  });
});

describe("columns", () => {
  it("are as wide as what is seen, whatever colours are in it", () => {
    const rows = [
      [coloured.bad("no"), "b"],
      ["yes", "c"],
    ];
    expect(renderTable(rows).map(widthOf)).toEqual([7, 7]);
  });

  it.each([
    ["short", 10, "short"],
    ["exactly", 7, "exactly"],
    ["too long", 5, "too …"],
    [coloured.bad("too long"), 5, "too …"],
    [coloured.bad("red"), 5, coloured.bad("red")],
  ])("cut %j to %i", (text, width, expected) => {
    expect(fitted(text, width)).toBe(expected);
  });
});
