import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { importRules } from "../../hack/tidy/imports.ts";
import { conditionMeanings } from "../../src/api/conditions.ts";
import { timingFromRtt } from "../../src/evnode/raft-timing.ts";
import { documents, read } from "./documents.ts";

const root = join(import.meta.dirname, "../..");

describe("the runbook", () => {
  const runbook = read("docs/runbook.md");
  const explained = [...runbook.matchAll(/^### (\w+)$|^\| `(\w+)` \| \w+ \| /gm)].map(
    ([, heading, row]) => heading ?? row,
  );
  const reasons = new Set(conditionMeanings.flatMap(({ reasons: all }) => all.map(({ reason }) => reason)));

  it("explains every reason of a condition once", () => {
    expect(new Set(explained)).toEqual(reasons);
    expect(explained).toHaveLength(reasons.size);
  });

  it("calls well only what is well", () => {
    const good = [...runbook.matchAll(/^\| `(\w+)` \| (\w+) \| /gm)].map(([, reason, type]) => ({
      reason,
      type,
    }));
    expect(good).toHaveLength(conditionMeanings.length);
    for (const { reason, type } of good) {
      const meaning = conditionMeanings.find((condition) => condition.type === type);
      const status = meaning?.reasons.find((entry) => entry.reason === reason)?.status;
      expect({ type, status }).toEqual({
        type,
        status: ["Reconciling", "Stalled"].includes(type ?? "") ? "False" : "True",
      });
    }
  });
});

describe("the timing in docs/network.md", () => {
  const rows = [
    ...read("docs/network.md").matchAll(/^\| (\d+) ms \| (\d+) ms \| (\d+) ms \| (\d+) ms \| (\d+) ms \|$/gm),
  ];
  const table = rows.map(([, ...figures]) => figures.map(Number));

  it("is what the formulas give", () => {
    expect(table.map(([rttMs]) => rttMs)).toEqual([1, 5, 25, 45, 99, 150]);
    const computed = table.map(([rttMs = 0]) => [rttMs, ...Object.values(timingFromRtt(rttMs))]);
    expect(table).toEqual(computed);
  });
});

describe("the import rules in ARCHITECTURE.md", () => {
  it("are those that are checked", () => {
    const section = read("ARCHITECTURE.md").split("## Import rules")[1]?.split("\n## ")[0] ?? "";
    const rows = [...section.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, folder, text = ""]) => [
      folder,
      text,
    ]);
    const expected = Object.entries(importRules).map(([folder, { own, ownTypes = [] }]) => {
      const names = [...own.map((name) => `\`${name}\``), ...ownTypes.map((name) => `types of \`${name}\``)];
      return [folder, names.join(", ") || "nothing of ours"];
    });
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(expected));
  });
});

describe.each(documents)("%s", (file) => {
  const text = read(file);
  const links = [...text.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, target]) => target ?? "");

  it("links only to what exists", () => {
    const broken = links.filter((link) => {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? file : join(dirname(file), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it("names only npm scripts that exist", () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read("package.json")));
    const named = [
      ...text.matchAll(/\bnpm (?:run (?:--silent )?)?(test|start|(?<=run (?:--silent )?)(?!--)[a-z0-9:-]+)/g),
    ].map(([, name]) => name ?? "");
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

/** As the usual renderers of Markdown make them from headings. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}
