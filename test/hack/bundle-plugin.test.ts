import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { packageVersion } from "../../hack/bundle.ts";
import { bundlePlugin } from "../../hack/bundle-plugin.ts";
import { tryCommand } from "../../hack/local-cluster/command.ts";
import { cluster } from "../builders.ts";
import { wellStatus } from "../cli/statuses.ts";
import { ApiServer, type Respond, sendJson, statusBody } from "../kube/api-server.ts";

/** Each test runs the whole program, which takes its time on a busy machine. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), "plugin-"));
let file = "";
const authority = readFileSync(join(import.meta.dirname, "../kube/fixtures/cert.pem")).toString("base64");
beforeAll(async () => {
  ({ file } = await bundlePlugin(folder));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plugin = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  tryCommand(process.execPath, [file, ...args], {
    cwd: tmpdir(),
    env: { HOME: folder, KUBECONFIG: "", KUBERNETES_SERVICE_HOST: "", ...env },
    timeoutMs: 30_000,
  });

describe("the kubectl plugin", () => {
  it("is one file that can be run, and knows its version", async () => {
    expect(statSync(file).mode & 0o111).toBe(0o111);
    expect(readFileSync(file, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(await plugin(["version"])).toEqual({ code: 0, stdout: `${packageVersion()}\n`, stderr: "" });
  });

  it("says that it wants a newer Node.js, and nothing else", async () => {
    const older = join(folder, "older.mjs");
    writeFileSync(older, `Object.defineProperty(process, "versions", { value: { node: "20.20.2" } });`);
    const { code, stdout, stderr } = await plugin(["version"], { NODE_OPTIONS: `--import ${older}` });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^error: kubectl evnode wants Node\.js 24\.7 or newer, found 20\.20\.2\n/);
  });

  it("has the licence of every package in it, at its end", () => {
    const text = readFileSync(file, "utf8");
    for (const name of ["@kubernetes/client-node", "undici", "zod", "yaml"])
      expect(text).toContain(`\n${name} `);
    expect(text).toMatch(/\*\/\n$/);
  });

  it("is the same, byte for byte, when it is built again", async () => {
    const before = readFileSync(file, "utf8");
    expect(readFileSync((await bundlePlugin(folder)).file, "utf8")).toBe(before);
  }, 60_000);

  it.each([
    ["no kubeconfig", {}, /^error: the Kubernetes cluster to ask is not known: .*\.kube\/config/],
    [
      "one that is missing",
      { KUBECONFIG: "missing-file" },
      /^error: the Kubernetes cluster to ask is not known: .*missing-file/,
    ],
  ])("says what is wrong with %s, and what to do", async (_, env, says) => {
    const { code, stderr } = await plugin(["status"], env);
    expect(code).toBe(1);
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/\nkubectl config get-contexts shows what there is/);
  });
});

describe("the kubectl plugin with a server", () => {
  let server: ApiServer | undefined;
  afterEach(() => server?.stop());

  /** A kubeconfig whose user proves itself by a program, as those of cloud providers do. */
  function kubeconfig(url: string): string {
    const token = { kind: "ExecCredential", status: { token: "from-a-program" } };
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "sh",
      args: ["-c", `echo '${JSON.stringify(token)}'`],
    };
    const path = join(folder, "config");
    const config = {
      "current-context": "main",
      contexts: [
        { name: "main", context: { cluster: "c", user: "u", namespace: "rollup" } },
        { name: "other", context: { cluster: "c", user: "u" } },
      ],
      clusters: [{ name: "c", cluster: { server: url, "certificate-authority-data": authority } }],
      users: [{ name: "u", user: { exec } }],
    };
    writeFileSync(path, JSON.stringify(config));
    return path;
  }

  it("takes namespace and credentials of the context, and ends with what the cluster is", async () => {
    const answer: Respond = ({ headers, path }, response) => {
      if (headers.authorization !== "Bearer from-a-program")
        return sendJson(response, 401, statusBody(401, "Unauthorized", "no"));
      const isFound = path.endsWith("/namespaces/rollup/evnodeclusters/seq");
      if (isFound) return sendJson(response, 200, cluster({ status: wellStatus }));
      return sendJson(
        response,
        404,
        statusBody(404, "NotFound", "no", { name: "seq", kind: "evnodeclusters" }),
      );
    };
    server = await ApiServer.start(answer, { tls: true });
    // A missing file of several is left out, as kubectl does.
    const env = { KUBECONFIG: `missing:${kubeconfig(server.url)}` };
    const well = await plugin(["status", "seq"], env);
    expect({ code: well.code, stderr: well.stderr }).toEqual({ code: 0, stderr: "" });
    expect(well.stdout).toMatch(/^rollup\/seq {2}ready \(AllMembersReady\), Running\n├─ chain/);
    const json = await plugin(["status", "seq", "-o", "json"], env);
    expect(JSON.parse(json.stdout)).toMatchObject({ status: { leader: "seq-0" } });

    const elsewhere = await plugin(["status", "seq", "--context", "other"], env);
    expect(elsewhere.stderr).toMatch(/^error: there is no EvNodeCluster seq in namespace default\n/);
    const nowhere = await plugin(["status", "seq", "--context", "third"], env);
    expect(nowhere.stderr).toMatch(/no cluster for context "third" in .*, expected one of main, other\n/);
  }, 60_000);

  it("says what to ask for when it may not look", async () => {
    server = await ApiServer.start(
      (_, response) => sendJson(response, 403, statusBody(403, "Forbidden", 'User "u" cannot list resource')),
      { tls: true },
    );
    const { code, stderr } = await plugin(["status"], { KUBECONFIG: kubeconfig(server.url) });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: cannot list EvNodeCluster rollup: .*cannot list resource\nAsk for the rights/,
    );
  });
});
