import { describe, expect, it } from "vitest";
import { isVersion, obstacles, type ReleaseFacts } from "../../../hack/release/readiness.ts";

const clean = { kind: "work-tree", commit: "c1", changes: [], tagged: undefined } as const;

const ready: ReleaseFacts = {
  packageVersion: "0.2.0",
  lockVersion: "0.2.0",
  chartVersion: "0.2.0",
  chartAppVersion: "0.2.0",
  changelog: "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- A thing.\n",
  git: clean,
  node: { running: "24.21.0", locked: "24.21.0" },
};

interface Case {
  readonly what: string;
  readonly facts: Partial<ReleaseFacts>;
  readonly says: readonly string[];
}

const cases: readonly Case[] = [
  { what: "nothing", facts: {}, says: [] },
  {
    what: "another version in package.json",
    facts: { packageVersion: "0.1.0" },
    says: ["package.json says 0.1.0, expected 0.2.0: npm version 0.2.0 --no-git-tag-version"],
  },
  {
    what: "another version in the lock file",
    facts: { lockVersion: "0.1.0" },
    says: ["package-lock.json says 0.1.0, expected 0.2.0: npm install --package-lock-only"],
  },
  {
    what: "a chart of another version and another program",
    facts: { chartVersion: "0.3.0", chartAppVersion: "0.1.0" },
    says: [
      "version of helm/Chart.yaml says 0.3.0, expected 0.2.0: edit helm/Chart.yaml",
      "appVersion of helm/Chart.yaml says 0.1.0, expected 0.2.0: edit helm/Chart.yaml",
    ],
  },
  {
    what: "a change log that knows other versions alone",
    facts: { changelog: "## [Unreleased]\n\n## [0.2.0-rc.1]\n\n- A thing.\n" },
    says: ['CHANGELOG.md tells nothing of 0.2.0, expected a section "## [0.2.0]": write it'],
  },
  {
    what: "a section that is empty",
    facts: { changelog: "## [0.2.0]\n\n## [0.1.0]\n\n- A thing.\n" },
    says: ['CHANGELOG.md tells nothing of 0.2.0, expected a section "## [0.2.0]": write it'],
  },
  {
    what: "changes that are not yet of this version",
    facts: { changelog: "## [Unreleased]\n\n- New.\n\n## [0.2.0]\n\n- A thing.\n" },
    says: ['CHANGELOG.md has lines under Unreleased, expected none in a release: move them to "## [0.2.0]"'],
  },
  {
    what: "files that no commit has",
    facts: { git: { ...clean, changes: [" M a", "?? b", " M c", " M d", " M e", " M f"] } },
    says: [
      "the work tree differs from its commit (M a, ?? b, M c, M d, M e and 1 more), expected a clean one: git commit, or git stash -u",
    ],
  },
  {
    what: "no repository",
    facts: { git: { kind: "none" } },
    says: ["this is no git work tree, so nobody could say what was released: clone the repository"],
  },
  {
    what: "a tag of this version on another commit",
    facts: { git: { ...clean, tagged: "c0" } },
    says: ["the tag v0.2.0 is on c0, and this is c1: release another version, or git checkout v0.2.0"],
  },
  { what: "nothing where the tag is on this commit", facts: { git: { ...clean, tagged: "c1" } }, says: [] },
  {
    what: "another Node.js",
    facts: { node: { running: "25.0.0", locked: "24.21.0" } },
    says: [
      "Node.js 25.0.0 runs, expected 24.21.0 as package-lock.json has it: the bytes depend on it. npm ci, and npm run release",
    ],
  },
];

describe("a release", () => {
  it.each(cases)("is held up by $what", ({ facts, says }) => {
    expect(obstacles("0.2.0", { ...ready, ...facts })).toEqual(says);
  });

  it("is told of all that holds it up at once", () => {
    expect(obstacles("0.3.0", { ...ready, git: { kind: "none" } })).toHaveLength(6);
  });

  it.each(["0.2.0", "1.10.3", "1.0.0-rc.1"])("may be named %s", (text) => expect(isVersion(text)).toBe(true));
  it.each(["v0.2.0", "0.2", "latest", "", "1.0.0-", "1.0.0+build", "1.0.0 "])("is never named '%s'", (text) =>
    expect(isVersion(text)).toBe(false),
  );
});
