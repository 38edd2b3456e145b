import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { badManifests, refusedByOperator } from "../api/bad-manifests.ts";
import { goodManifest, type Patch, patched } from "../api/manifest-patch.ts";
import { sampleStatus } from "../api/sample-status.ts";
import { allowedUpdates, forbiddenUpdates } from "../api/updates.ts";
import { type Answer, kubectl } from "./kubectl.ts";
import { installTestResource, type TestResource } from "./manifest-crd.ts";

const examples = join(import.meta.dirname, "../../examples");

let resource: TestResource;
let count = 0;

beforeAll(() => {
  resource = installTestResource();
});
afterAll(() => resource.remove());

const object = (patch: Patch) => patched({ ...goodManifest, apiVersion: resource.apiVersion }, patch);
const dryRun = (manifest: unknown) => kubectl(["create", "--dry-run=server", "-f", "-"], manifest);

describe("the API server", () => {
  it("accepts the good manifest", () => {
    expect(dryRun(object({}))).toMatchObject({ ok: true });
  });

  it.each(badManifests)("refuses $name", ({ patch, field, message }) => {
    const answer = dryRun(object(patch));
    expect(answer.text).toContain(message);
    expect(answer.text).toContain(field);
    expect(answer.ok).toBe(false);
  });

  it.each(refusedByOperator)("leaves to the operator: $name", ({ patch }) => {
    expect(dryRun(object(patch))).toMatchObject({ ok: true });
  });

  it.each(readdirSync(examples))("accepts the example %s", (file) => {
    const manifest = parse(readFileSync(join(examples, file), "utf8")) as KubeObject;
    // The namespace that an example names need not be there.
    const { name } = manifest.metadata;
    const own = { ...manifest, apiVersion: resource.apiVersion, metadata: { name } };
    expect(dryRun(own)).toMatchObject({ ok: true });
  });
});

describe("an update", () => {
  it.each(forbiddenUpdates)("is refused when it changes $name", ({ before, after, field }) => {
    const answer = updated(before, after);
    expect(answer.text).toContain(`${field}: Forbidden: ${field} cannot change: `);
    expect(answer.ok).toBe(false);
  });

  it.each(allowedUpdates)("is accepted: $name", ({ before, after }) => {
    expect(updated(before, after)).toMatchObject({ ok: true });
  });
});

describe("a status with every field", () => {
  const name = "status";
  const get = (output: string) => kubectl(["get", resource.resource, name, "-o", output]).text;

  beforeAll(() => {
    kubectl(["create", "-f", "-"], patched(object({}), { metadata: { name } }));
    const stored = JSON.parse(get("json")) as object;
    const answer = kubectl(["replace", "--subresource=status", "-f", "-"], {
      ...stored,
      status: sampleStatus,
    });
    if (!answer.ok) throw new Error(answer.text);
  });

  it("is stored as it was written", () => {
    expect(JSON.parse(get("json"))).toMatchObject({ status: sampleStatus });
  });

  it("is shown in the columns", () => {
    const [header, row] = get("wide").trim().split("\n");
    const columns = "NAME READY LEADER HEIGHT QUORUM PHASE UPDATED IMAGE AGE MEMBERS CHAIN REASON";
    expect(header?.split(/\s+/).join(" ")).toBe(columns);
    expect(row).toMatch(
      /^status\s+False\s+demo-0\s+9007199254740991\s+AtRisk\s+Degraded\s+1\/3\s+ghcr\.io\S+\s/,
    );
    expect(row).toMatch(/\s2\/3\s+demo-1\s+MembersNotReady$/);
  });
});

/** What the server says to the change of a stored object. */
function updated(before: Patch, after: Patch): Answer {
  count += 1;
  const name = { metadata: { name: `update-${count}` } };
  const created = kubectl(["create", "-f", "-"], patched(object(before), name));
  if (!created.ok) throw new Error(created.text);
  return kubectl(["replace", "--dry-run=server", "-f", "-"], patched(object(after), name));
}
