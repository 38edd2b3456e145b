import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Spec } from "../../src/api/evnodecluster.ts";
import type { parseCluster } from "../../src/api/parse.ts";
import type { intentsOf } from "../../src/plan/intent.ts";
import type { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { arbitrarySpec } from "../arbitrary-spec.ts";
import { brief, cluster, converged, identity, snapshot } from "../builders.ts";
import { laterVersion } from "../later-version.ts";

/** What a later version makes of clusters of this one, with its own defaults, rendering and fields. */

interface Later {
  readonly makePlan: typeof makePlan;
  readonly intentsOf: typeof intentsOf;
  readonly parseCluster: typeof parseCluster;
}

let folder: string;
let later: Later;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "later-version-"));
  const parts = ["plan/plan.ts", "plan/intent.ts", "api/parse.ts"];
  const contents = parts.map((part) => `export * from "./src/${part}";`).join("\n");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: join(import.meta.dirname, "../.."), loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "node",
    plugins: [laterVersion],
    write: false,
  });
  const file = join(folder, "later.mjs");
  await writeFile(file, outputFiles[0]?.text ?? "");
  later = (await import(pathToFileURL(file).href)) as Later;
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A cluster that this version made, as the later one sees it: with the defaults of that version. */
function seenLater(fields: Partial<Spec>, defaultsVersion = 1): Snapshot {
  const owned = cluster({ spec: fields });
  const seen = converged(snapshot({ cluster: owned }), owned);
  return { ...seen, parsed: later.parseCluster(owned, defaultsVersion) };
}

describe("a later version with other defaults, another rendering and a new field", () => {
  test("leaves a cluster of this one as it is, whatever its spec", () => {
    fc.assert(
      fc.property(arbitrarySpec(), (fields) => {
        const seen = seenLater(fields);
        expect(brief(later.makePlan(seen))).toEqual([]);
        expect(later.intentsOf(seen, identity())).toMatchObject({ wish: undefined });
      }),
      { numRuns: 25 },
    );
  });

  test("takes the new field to a cluster whose owner asks for it, and nothing else that is new", () => {
    const { parsed, ...seen } = seenLater({});
    const asked = cluster({ spec: { gcPercent: 50 } as Partial<Spec> });
    const wanted = { ...seen, cluster: asked, parsed: later.parseCluster(asked, 1) };
    expect(parsed.kind).toBe("valid");
    expect(later.intentsOf(wanted, identity())?.wish?.changes).toEqual(["gcPercent"]);
  });

  test("would change it with the new defaults", () => {
    const { wish } = later.intentsOf(seenLater({}, 2), identity()) ?? {};
    const changes = ["defaultsVersion", "gcPercent", "log.level", "pod.terminationGracePeriodSeconds"];
    expect(wish?.changes.toSorted()).toEqual(changes);
  });
});
