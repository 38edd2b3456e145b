import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Verdict } from "../../src/kube/access-reviews.ts";
import { KubeError } from "../../src/kube/errors.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { Logger } from "../../src/telemetry/log.ts";
import { certificateSource } from "../../src/telemetry/metrics-certificate.ts";
import { type MetricsServerOptions, serveMetrics } from "../../src/telemetry/metrics-server.ts";
import { selfSignedCertificate } from "../../src/telemetry/self-signed-certificate.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";

const NAME = "evnode-operator-metrics";

let clock: VirtualClock;
let warnings: string[];
let close: () => void = () => {};
let folder: string;

beforeEach(() => {
  clock = new VirtualClock();
  warnings = [];
  folder = mkdtempSync(join(tmpdir(), "metrics-tls-"));
});

afterEach(() => {
  close();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(over: Partial<MetricsServerOptions> = {}): Promise<number> {
  const log = { warn: ({ reason }: { reason: string }) => warnings.push(reason) } as unknown as Logger;
  const page = { contentType: "text/plain; version=0.0.4", text: async () => "up 1\n" };
  let taken = 0;
  const onListening = (port: number) => {
    taken = port;
  };
  const defaults = {
    port: 0,
    host: "127.0.0.1",
    page,
    tls: undefined,
    access: undefined,
    clock,
    log,
    onListening,
  };
  close = await serveMetrics({ ...defaults, ...over });
  return taken;
}

interface Request {
  readonly path?: string;
  readonly method?: string;
  readonly token?: string;
  /** Over https, trusting this certificate alone. */
  readonly ca?: string;
}

function get(port: number, { path = "/metrics", method = "GET", token, ca }: Request = {}) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const options = { host: "127.0.0.1", port, path, method, headers, agent: false };
  return new Promise<{ readonly status: number | undefined; readonly body: string }>((resolve, reject) => {
    const onAnswer = (answer: http.IncomingMessage) => {
      text(answer).then((body) => resolve({ status: answer.statusCode, body }), reject);
    };
    const request =
      ca === undefined
        ? http.request(options, onAnswer)
        : https.request({ ...options, ca, servername: NAME }, onAnswer);
    request.on("error", reject);
    request.end();
  });
}

describe("the page", () => {
  test.each<[Request, number, string]>([
    [{}, 200, "up 1\n"],
    [{ path: "/metrics?x=1" }, 200, "up 1\n"],
    [{ path: "/" }, 404, "no such page: try /metrics\n"],
    [{ method: "POST" }, 405, "expected GET\n"],
  ])("%o: %i", async (request, status, body) => {
    expect(await get(await serve(), request)).toEqual({ status, body });
  });

  test("is written once for all who ask meanwhile", async () => {
    let written = 0;
    const gate = Promise.withResolvers<string>();
    const write = () => {
      written += 1;
      return gate.promise;
    };
    let arrived = 0;
    const access = async (): Promise<Verdict> => {
      arrived += 1;
      // Both are at the page before it is written.
      if (arrived === 2) setImmediate(() => gate.resolve("up 1\n"));
      return "allowed";
    };
    const port = await serve({ access, page: { contentType: "text/plain", text: write } });
    const answers = await Promise.all([get(port, { token: "a" }), get(port, { token: "a" })]);
    expect(answers.map(({ body }) => body)).toEqual(["up 1\n", "up 1\n"]);
    expect(written).toBe(1);
  });
});

describe("with access by tokens", () => {
  const asked: string[] = [];
  const saying = (verdict: Verdict) => async (token: string) => {
    asked.push(token);
    return verdict;
  };

  test.each<[Verdict, number, RegExp]>([
    ["allowed", 200, /^up 1\n$/],
    ["unknown", 401, /none of this Kubernetes cluster/],
    ["forbidden", 403, /bind the ClusterRole/],
    ["busy", 429, /try again/],
  ])("one whose owner is %s gets %i", async (verdict, status, body) => {
    const answer = await get(await serve({ access: saying(verdict) }), { token: "abc" });
    expect(answer).toEqual({ status, body: expect.stringMatching(body) as unknown });
    expect(asked.at(-1)).toBe("abc");
  });

  test("nobody is asked about a request without one", async () => {
    const before = asked.length;
    expect(await get(await serve({ access: saying("allowed") }))).toMatchObject({ status: 401 });
    expect(asked).toHaveLength(before);
  });

  test("nothing is told while the API server does not answer, and the log says so without the token", async () => {
    const access = async () => {
      throw new KubeError("Unavailable", "cannot create TokenReview: refused");
    };
    expect(await get(await serve({ access }), { token: "abc" })).toMatchObject({ status: 503 });
    expect(warnings).toEqual(["cannot create TokenReview: refused"]);
  });
});

describe("over https", () => {
  test("with a certificate of its own, that fits its key and its name", async () => {
    const tls = certificateSource(undefined, systemClock);
    const { cert } = await tls();
    expect(await get(await serve({ tls }), { ca: cert })).toEqual({ status: 200, body: "up 1\n" });
    const { cert: other } = selfSignedCertificate(NAME, Date.now());
    await expect(get(await serve({ tls }), { ca: other })).rejects.toThrow("self-signed certificate");
  });

  const put = (over: Partial<ReturnType<typeof selfSignedCertificate>> = {}) => {
    const made = { ...selfSignedCertificate(NAME, Date.now()), ...over };
    writeFileSync(join(folder, "tls.crt"), made.cert);
    writeFileSync(join(folder, "tls.key"), made.key);
    return made.cert;
  };
  /** The files are read by the operating system, in its own time, which is no time of the clock here. */
  const soon = async (holds: () => Promise<boolean> | boolean) => {
    await clock.advance(60_000);
    await expect.poll(holds, { timeout: 30_000, interval: 5 }).toBe(true);
  };
  const trusts = (port: number, ca: string) =>
    get(port, { ca }).then(
      ({ status }) => status === 200,
      () => false,
    );

  test("with the files of a Secret, and with renewed ones a minute later", async () => {
    const first = put();
    const port = await serve({ tls: certificateSource(folder, clock) });
    const renewed = put();
    expect(await trusts(port, first)).toBe(true);
    expect(await trusts(port, renewed)).toBe(false);
    await soon(() => trusts(port, renewed));
    expect(await trusts(port, first)).toBe(false);
  });

  test("and with the old ones as long as the new ones do not fit each other", async () => {
    const first = put();
    const port = await serve({ tls: certificateSource(folder, clock) });
    put({ cert: selfSignedCertificate(NAME, Date.now()).cert });
    await soon(() => warnings.length > 0);
    expect(warnings).toEqual([expect.stringMatching(/key values mismatch/)]);
    expect(await trusts(port, first)).toBe(true);
  });

  test("but not without them, and says which file is missing", async () => {
    await expect(serve({ tls: certificateSource(folder, clock) })).rejects.toThrow(
      /tls\.(crt|key): ENOENT\. Expected are tls\.crt and tls\.key/,
    );
  });
});

test("a port that is taken is told at the start", async () => {
  const port = await serve();
  const closeFirst = close;
  await expect(serve({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  close = closeFirst;
});
