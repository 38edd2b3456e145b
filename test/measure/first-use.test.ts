import { describe, expect, it, test } from "vitest";
import { type FirstUse, firstUseReport } from "../../hack/measure/campaigns/first-use-report.ts";
import { pageCommands } from "../../hack/measure/page-commands.ts";
import { read } from "../hack/documents.ts";

const page = `# A page

<!-- first use: install -->
\`\`\`sh
helm install operator ./helm \\
  --wait

kubectl get pods    # they run
\`\`\`

<!-- first use: look -->
It has no block of its own.

\`\`\`sh
kubectl get nodes
\`\`\`
`;

describe("commands of a page", () => {
  it("are the lines of the named block, those that go on made one", () => {
    expect(pageCommands(page, "install")).toEqual([
      "helm install operator ./helm --wait",
      "kubectl get pods    # they run",
    ]);
  });

  it.each(["look", "upgrade"])("are missed where %s has no block", (name) => {
    expect(() => pageCommands(page, name)).toThrow(`no block of commands under <!-- first use: ${name} -->`);
  });
});

test.each(["install", "apply", "look", "plugin", "upgrade", "uninstall"])("the README has %s", (name) => {
  expect(pageCommands(read("README.md"), name)).not.toEqual([]);
});

const used = (more: Partial<FirstUse> = {}): FirstUse => ({
  steps: [
    { title: "install", commands: [{ command: "helm install", tookMs: 9_000 }] },
    {
      title: "apply",
      commands: [
        { command: "kubectl apply", tookMs: 500 },
        { command: "kubectl wait", tookMs: 12_000 },
      ],
    },
  ],
  isUpgraded: true,
  blocksWhileAway: 10,
  survived: true,
  untouched: true,
  adoptedMs: 800,
  chain: [],
  ...more,
});
const built = { command: "npm run image", tookMs: 60_000 };

describe("the report of a first use", () => {
  it("has every command beneath its step, and the sum", () => {
    const { tables, failures } = firstUseReport([used(), used()], built);
    expect(tables[0]?.rows).toEqual([
      ["install", "1", "9.0 s", "9.0 s"],
      ["apply", "2", "13 s", "13 s"],
      ["  kubectl apply", "", "500 ms", "500 ms"],
      ["  kubectl wait", "", "12 s", "12 s"],
      ["all", "3", "22 s", "22 s"],
    ]);
    expect(failures).toEqual([]);
  });

  it.each<[Partial<FirstUse>, RegExp]>([
    [{ isUpgraded: false }, /kubectl wait ended before/],
    [{ blocksWhileAway: 0 }, /no block was made/],
    [{ survived: false }, /the uninstallation took or restarted something/],
    [{ untouched: false }, /the second installation took or restarted something/],
    [{ adoptedMs: undefined }, /does not act/],
    [{ chain: ["block 3 is served twice"] }, /the chain: block 3 is served twice/],
  ])("fails with %j", (more, says) => {
    expect(firstUseReport([used(), used(more)], built).failures).toEqual([expect.stringMatching(says)]);
  });
});
