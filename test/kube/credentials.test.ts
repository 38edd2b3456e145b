import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  findCredentials,
  kubeconfigCredentials,
  serviceAccountCredentials,
} from "../../src/kube/credentials.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "credentials-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function serviceAccount(token: string): void {
  write("token", `${token}\n`);
  write("ca.crt", "CA");
  write("namespace", "operators");
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

function kubeconfig(user: object, cluster: object = {}): string {
  return JSON.stringify({
    "current-context": "main",
    contexts: [
      { name: "main", context: { cluster: "c", user: "u", namespace: "team" } },
      { name: "other", context: { cluster: "d", user: "u" } },
    ],
    clusters: [
      { name: "c", cluster: { server: "https://c:6443/", ...cluster } },
      { name: "d", cluster: { server: "https://d:6443" } },
    ],
    users: [{ name: "u", user }],
  });
}

describe("credentials of a service account", () => {
  it("are the mounted token and authority, with the namespace", async () => {
    serviceAccount("t1");
    const source = serviceAccountCredentials(new VirtualClock(), "10.0.0.1", "443", folder);
    expect(await source.current()).toEqual({
      server: "https://10.0.0.1:443",
      headers: { authorization: "Bearer t1" },
      tls: { ca: "CA" },
      namespace: "operators",
    });
  });

  it("put an IPv6 address into brackets", async () => {
    serviceAccount("t1");
    const source = serviceAccountCredentials(new VirtualClock(), "fd00::1", "443", folder);
    expect((await source.current()).server).toBe("https://[fd00::1]:443");
  });

  it("are read again after a minute, or when the server refused them", async () => {
    const clock = new VirtualClock();
    const source = serviceAccountCredentials(clock, "h", "443", folder);
    const token = async () => (await source.current()).headers["authorization"];
    serviceAccount("t1");
    expect(await token()).toBe("Bearer t1");
    serviceAccount("t2");
    await clock.advance(59_999);
    expect(await token()).toBe("Bearer t1");
    await clock.advance(1);
    expect(await token()).toBe("Bearer t2");
    serviceAccount("t3");
    source.refused();
    expect(await token()).toBe("Bearer t3");
  });

  it("stay what they were while the files are missing, and fail if they never were there", async () => {
    const clock = new VirtualClock();
    const source = serviceAccountCredentials(clock, "h", "443", folder);
    await expect(source.current()).rejects.toMatchObject({ code: "ENOENT" });
    serviceAccount("t1");
    await source.current();
    rmSync(join(folder, "token"));
    await clock.advance(60_000);
    expect((await source.current()).headers).toEqual({ authorization: "Bearer t1" });
  });
});

describe("credentials of a kubeconfig", () => {
  it("are a client certificate with its key", async () => {
    const user = { "client-certificate-data": base64("CERT"), "client-key-data": base64("KEY") };
    const cluster = { "certificate-authority-data": base64("CA"), "tls-server-name": "api" };
    const source = kubeconfigCredentials(new VirtualClock(), [write("config", kubeconfig(user, cluster))]);
    expect(await source.current()).toMatchObject({
      server: "https://c:6443",
      headers: {},
      tls: { ca: "CA", cert: "CERT", key: "KEY", servername: "api" },
      namespace: "team",
    });
  });

  it("are a token, for another context if asked", async () => {
    const file = write("config", kubeconfig({ token: "t1" }));
    const source = kubeconfigCredentials(new VirtualClock(), [file], "other");
    expect(await source.current()).toMatchObject({
      server: "https://d:6443",
      headers: { authorization: "Bearer t1" },
      namespace: undefined,
    });
  });

  it("are what a plugin prints; it runs again only when the server refused its token", async () => {
    write("count", "");
    const token = { kind: "ExecCredential", status: { token: "from the plugin" } };
    const script = `echo run >> ${folder}/count; echo '${JSON.stringify(token)}'`;
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "sh", args: ["-c", script] };
    const file = write("config", kubeconfig({ exec }));
    const clock = new VirtualClock();
    const source = kubeconfigCredentials(clock, [file]);
    const runs = () => readFileSync(join(folder, "count"), "utf8").length / "run\n".length;

    expect((await source.current()).headers).toEqual({ authorization: "Bearer from the plugin" });
    await clock.advance(60_000);
    await source.current();
    expect(runs()).toBe(1);
    source.refused();
    await source.current();
    expect(runs()).toBe(2);
  });

  it("name the context that has no cluster", async () => {
    const source = kubeconfigCredentials(new VirtualClock(), [write("config", kubeconfig({}))], "missing");
    await expect(source.current()).rejects.toThrow(
      /^no cluster for context "missing" in .*config, expected one of main, other$/,
    );
  });

  it("come from those of several files that are there", async () => {
    const file = write("config", kubeconfig({ token: "t" }));
    const source = kubeconfigCredentials(new VirtualClock(), [join(folder, "missing"), file]);
    expect((await source.current()).headers).toEqual({ authorization: "Bearer t" });
    const none = kubeconfigCredentials(new VirtualClock(), [join(folder, "missing")]);
    await expect(none.current()).rejects.toThrow(/missing/);
  });
});

describe("findCredentials", () => {
  const inPod = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };

  it.each([
    ["the explicit file", { kubeconfig: "explicit", env: { KUBECONFIG: "env", ...inPod } }, /explicit/],
    ["KUBECONFIG before the service account", { env: { KUBECONFIG: "env", ...inPod } }, /env/],
    ["the service account before the home", { env: { HOME: "/home/x", ...inPod } }, /serviceaccount/],
    ["the file at home in the end", { env: { HOME: "/home/x" } }, /\/home\/x\/\.kube\/config/],
    [
      "a file, not the service account, for a context",
      { context: "c", env: { HOME: "/h", ...inPod } },
      /\/h\/\.kube/,
    ],
  ])("takes %s", async (_, options, path) => {
    // None of the files exists, so the error tells which one was tried.
    const source = findCredentials({ clock: new VirtualClock(), ...options });
    await expect(source.current()).rejects.toThrow(path);
  });
});
