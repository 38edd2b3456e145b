import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { badManifests, refusedByOperator } from "../api/bad-manifests.ts";
import { goodManifest, type Patch, patched } from "../api/manifest-patch.ts";
import { sampleStatus } from "../api/sample-status.ts";
import { allowedUpdates, forbiddenUpdates } from "../api/updates.ts";
import { type Answer, kubectl, kubectlPath } from "./kubectl.ts";

const root = join(import.meta.dirname, "../..");
// A name of its own, so that a run need not wait for the namespace of the one before to be gone.
const namespace = `evnode-manifests-${randomBytes(4).toString("hex")}`;
let count = 0;

const object = (patch: Patch) => patched(patched(goodManifest, { metadata: { namespace } }), patch);
const dryRun = (patch: Patch) => kubectl(["create", "--dry-run=server", "-f", "-"], object(patch));

beforeAll(() => {
  execFileSync(kubectlPath, ["apply", "--server-side", "--force-conflicts", "-f", join(root, "crds")]);
  execFileSync(kubectlPath, [
    "wait",
    "--for=condition=Established",
    "crd/evnodeclusters.evnode.dev",
    "--timeout=60s",
  ]);
  kubectl(["create", "namespace", namespace]);
});

afterAll(() => {
  kubectl(["delete", "namespace", namespace, "--wait=false"]);
});

describe("the API server", () => {
  it("accepts the good manifest", () => {
    expect(dryRun({})).toMatchObject({ ok: true });
  });

  it.each(badManifests)("refuses $name", ({ patch, field, message }) => {
    const answer = dryRun(patch);
    expect(answer.text).toContain(message);
    expect(answer.text).toContain(field);
    expect(answer.ok).toBe(false);
  });

  it.each(refusedByOperator)("leaves to the operator: $name", ({ patch }) => {
    expect(dryRun(patch)).toMatchObject({ ok: true });
  });

  it.each(["minimal", "five-members", "full"])("accepts the example %s", (name) => {
    const file = join(root, "examples", `${name}.yaml`);
    expect(kubectl(["create", "--dry-run=server", "-n", namespace, "-f", file])).toMatchObject({ ok: true });
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
  const get = (output: string) => kubectl(["get", "-n", namespace, "evc", name, "-o", output]).text;

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
    const columns = "NAME READY LEADER HEIGHT QUORUM PHASE IMAGE AGE MEMBERS CHAIN UPDATED REASON";
    expect(header?.split(/\s+/).join(" ")).toBe(columns);
    expect(row).toMatch(/^status\s+False\s+demo-0\s+9007199254740991\s+AtRisk\s+Degraded\s+ghcr\.io\S+\s/);
    expect(row).toMatch(/\s2\/3\s+demo-1\s+False\s+MembersNotReady$/);
  });
});

/** What the server says to the change of a stored object, which is then deleted again. */
function updated(before: Patch, after: Patch): Answer {
  count += 1;
  const name = { metadata: { name: `update-${count}` } };
  const created = kubectl(["create", "-f", "-"], patched(object(before), name));
  if (!created.ok) throw new Error(created.text);
  const answer = kubectl(["replace", "--dry-run=server", "-f", "-"], patched(object(after), name));
  kubectl(["delete", "-n", namespace, "evnodecluster", name.metadata.name, "--wait=false"]);
  return answer;
}
