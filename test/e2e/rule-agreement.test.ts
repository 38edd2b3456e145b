import { execFileSync } from "node:child_process";
import { join } from "node:path";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { CURRENT_DEFAULTS_VERSION } from "../../src/api/defaults.ts";
import { parseCluster } from "../../src/api/parse.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { arbitraryPatch } from "../api/arbitrary-manifest.ts";
import { goodManifest, patched } from "../api/manifest-patch.ts";
import { kubectl, kubectlPath } from "./kubectl.ts";

/** Another seed tries other manifests: EVNODE_SEED=<number>. */
const seed = Number(process.env["EVNODE_SEED"] ?? 20_260_101);
const batches = 4;
const batchSize = 150;

interface Sample {
  readonly name: string;
  readonly object: KubeObject;
}

const samples: readonly Sample[] = fc
  .sample(arbitraryPatch(), { seed, numRuns: batches * batchSize })
  .map((patch, index) => {
    const name = `sample-${index}`;
    return { name, object: patched(goodManifest, { ...patch, metadata: { name } }) as KubeObject };
  });

/** What the API server says to each sample: nothing when it accepts it. */
function refusals(batch: readonly Sample[]): ReadonlyMap<string, string> {
  const list = { apiVersion: "v1", kind: "List", items: batch.map(({ object }) => object) };
  const { text } = kubectl(["create", "--dry-run=server", "-f", "-"], list);
  const accepted = new Set(
    [...text.matchAll(/evnodecluster\.evnode\.dev\/(sample-\d+) created/g)].map(([, name]) => name),
  );
  const refused = batch.filter(({ name }) => !accepted.has(name));
  return new Map(refused.map(({ name }) => [name, messageAbout(text, name)]));
}

const messageAbout = (text: string, name: string): string =>
  text.split(/(?=The EvNodeCluster ")/).find((part) => part.includes(`"${name}"`)) ??
  "refused without a message";

const isAccepted = ({ object }: Sample): boolean =>
  parseCluster(object, CURRENT_DEFAULTS_VERSION).kind === "valid";

describe(`the rules of the CRD and of the operator (EVNODE_SEED=${seed})`, () => {
  beforeAll(() => {
    const crds = join(import.meta.dirname, "../../crds");
    execFileSync(kubectlPath, ["apply", "--server-side", "--force-conflicts", "-f", crds]);
    execFileSync(kubectlPath, [
      "wait",
      "--for=condition=Established",
      "crd/evnodeclusters.evnode.dev",
      "--timeout=60s",
    ]);
  });

  it.each(Array.from({ length: batches }, (_, batch) => batch))(
    "agree on every manifest of batch %d",
    (batch) => {
      const chosen = samples.slice(batch * batchSize, (batch + 1) * batchSize);
      const refused = refusals(chosen);
      const disagreements = chosen
        .filter((sample) => isAccepted(sample) === refused.has(sample.name))
        .map(({ name, object }) => ({
          object,
          server: refused.get(name) ?? "accepted",
          operator: parseCluster(object, CURRENT_DEFAULTS_VERSION),
        }));
      expect(disagreements).toEqual([]);
    },
  );

  it("are put to the test by manifests of both kinds", () => {
    const accepted = samples.filter(isAccepted).length;
    expect(accepted).toBeGreaterThan(samples.length / 10);
    expect(samples.length - accepted).toBeGreaterThan(samples.length / 10);
  });
});
