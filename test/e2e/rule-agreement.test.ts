import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CURRENT_DEFAULTS_VERSION } from "../../src/api/defaults.ts";
import { parseCluster } from "../../src/api/parse.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { arbitraryPatch } from "../api/arbitrary-manifest.ts";
import { goodManifest, patched } from "../api/manifest-patch.ts";
import { kubectl } from "./kubectl.ts";
import { installTestResource, type TestResource } from "./manifest-crd.ts";

/** Another seed tries other manifests: EVNODE_SEED=<number>. */
const seed = Number(process.env["EVNODE_SEED"] ?? 20_260_101);
const batches = 4;
const batchSize = 150;

let resource: TestResource;

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
  const list = {
    apiVersion: "v1",
    kind: "List",
    items: batch.map(({ object }) => ({ ...object, apiVersion: resource.apiVersion })),
  };
  // kubectl itself would refuse the whole list for one of them.
  const { text } = kubectl(["create", "--dry-run=server", "--validate=false", "-f", "-"], list);
  const accepted = new Set(
    [...text.matchAll(/^evnodecluster\.\S+\/(sample-\d+) created/gm)].map(([, name]) => name),
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
    resource = installTestResource();
  });
  afterAll(() => resource.remove());

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
