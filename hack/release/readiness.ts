/** What the place where a release is made says about itself. */
export interface ReleaseFacts {
  readonly packageVersion: string;
  readonly lockVersion: string;
  readonly chartVersion: string;
  readonly chartAppVersion: string;
  readonly changelog: string;
  readonly git: GitFacts;
  /** Node.js that runs now, and the one that package-lock.json names. */
  readonly node: { readonly running: string; readonly locked: string };
}

export type GitFacts =
  | { readonly kind: "none" }
  | {
      readonly kind: "work-tree";
      readonly commit: string;
      /** Lines of `git status --porcelain`. */
      readonly changes: readonly string[];
      /** The commit that the tag of this version is on. */
      readonly tagged: string | undefined;
    };

const version = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z]+(?:\.[0-9A-Za-z]+)*)?$/;
const SHOWN_CHANGES = 5;

export const isVersion = (text: string): boolean => version.test(text);

/** Why this must not be released as `wanted`, all of it at once: what was found, what was expected, what to do. */
export function obstacles(wanted: string, facts: ReleaseFacts): readonly string[] {
  return [
    ...versionObstacles(wanted, facts),
    ...changelogObstacles(wanted, facts.changelog),
    ...gitObstacles(wanted, facts.git),
    ...nodeObstacles(facts.node),
  ];
}

function versionObstacles(wanted: string, facts: ReleaseFacts): readonly string[] {
  const found: readonly (readonly [string, string, string])[] = [
    ["package.json", facts.packageVersion, `npm version ${wanted} --no-git-tag-version`],
    ["package-lock.json", facts.lockVersion, "npm install --package-lock-only"],
    ["version of helm/Chart.yaml", facts.chartVersion, "edit helm/Chart.yaml"],
    ["appVersion of helm/Chart.yaml", facts.chartAppVersion, "edit helm/Chart.yaml"],
  ];
  return found
    .filter(([, there]) => there !== wanted)
    .map(([where, there, cure]) => `${where} says ${there}, expected ${wanted}: ${cure}`);
}

function changelogObstacles(wanted: string, changelog: string): readonly string[] {
  const sections = new Map(
    changelog
      .split(/^## /m)
      .slice(1)
      .map((section): [string, string] => {
        const [heading = "", ...lines] = section.split("\n");
        return [/^\[(.+?)\]/.exec(heading)?.[1] ?? heading, lines.join("\n").trim()];
      }),
  );
  const problems: string[] = [];
  if (!sections.get(wanted))
    problems.push(`CHANGELOG.md tells nothing of ${wanted}, expected a section "## [${wanted}]": write it`);
  if (sections.get("Unreleased"))
    problems.push(
      `CHANGELOG.md has lines under Unreleased, expected none in a release: move them to "## [${wanted}]"`,
    );
  return problems;
}

function gitObstacles(wanted: string, git: GitFacts): readonly string[] {
  if (git.kind === "none")
    return ["this is no git work tree, so nobody could say what was released: clone the repository"];
  const problems: string[] = [];
  if (git.changes.length > 0) {
    const shown = git.changes
      .slice(0, SHOWN_CHANGES)
      .map((line) => line.trim())
      .join(", ");
    const more = git.changes.length > SHOWN_CHANGES ? ` and ${git.changes.length - SHOWN_CHANGES} more` : "";
    problems.push(
      `the work tree differs from its commit (${shown}${more}), expected a clean one: git commit, or git stash -u`,
    );
  }
  if (git.tagged !== undefined && git.tagged !== git.commit)
    problems.push(
      `the tag v${wanted} is on ${git.tagged}, and this is ${git.commit}: release another version, or git checkout v${wanted}`,
    );
  return problems;
}

function nodeObstacles({ running, locked }: ReleaseFacts["node"]): readonly string[] {
  if (running === locked) return [];
  return [
    `Node.js ${running} runs, expected ${locked} as package-lock.json has it: the bytes depend on it. npm ci, and npm run release`,
  ];
}
