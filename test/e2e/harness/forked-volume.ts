import { execFile, spawn } from "node:child_process";
import { chmod, cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import { buildBinary } from "../../../hack/local-cluster/go-build.ts";
import { startArgs } from "../../../src/evnode/member-command.ts";
import type { Cluster } from "./cluster.ts";
import { killEvnode } from "./processes.ts";
import { until } from "./until.ts";
import { configFolder, volumeFolder } from "./volumes.ts";

/** As many as from one checkpoint to the next, and some more, so that one of them is another block. */
const OTHER_BLOCKS = 20;
/** By so many blocks the others are ahead when it comes back: beside a Raft log that is behind its store, ev-node ends. */
const AHEAD = 10;
/**
 * By so many it is ahead of them before: a block that follows must not be older than the one that it follows, or the
 * member goes no further.
 */
const FASTER = 2;
const PATIENCE_MS = 60_000;
const run = promisify(execFile);

type Yaml = Record<string, Record<string, unknown>>;

/**
 * Has the real ev-node make other blocks on the volume of a member that is held back meanwhile, as a second sequencer
 * with the same signer would: with the member's own blocks, key and genesis, and without Raft.
 */
export async function makeFork(cluster: Cluster, member: string): Promise<void> {
  const volume = await volumeFolder(cluster, member);
  const [raft, held, data] = ["raft-1", "raft-1.held", "data"].map((name) => join(volume, name));
  if (!raft || !held || !data) throw new Error("three names are three paths");
  const pod = await cluster.pod(member);
  // Without its Raft state it does not start.
  await rename(raft, held);
  await killEvnode(cluster.world, pod);
  await isHeldBack(cluster, member);

  const home = await mkdtemp(join(tmpdir(), "evnode-fork-"));
  try {
    await run("cp", ["-a", data, join(home, "data")]);
    await cp(configFolder(pod), join(home, "config"), { recursive: true });
    await makeAlone(join(home, "config", "evnode.yaml"), home);
    const height = await runAlone(home, () => highest(cluster));
    await run("chown", ["-R", `--reference=${data}`, join(home, "data")]);
    await rm(data, { recursive: true });
    await run("cp", ["-a", join(home, "data"), data]);
    await comesTo(cluster, height + AHEAD);
  } finally {
    await rm(home, { recursive: true, force: true });
    // What its starts without a state left there.
    await rm(raft, { recursive: true, force: true });
    await rename(held, raft);
  }
}

async function highest(cluster: Cluster): Promise<number> {
  const views = await Promise.all(cluster.memberNames.map((member) => cluster.agent(member)));
  return Math.max(0, ...views.map((view) => view?.node.height ?? 0));
}

async function comesTo(cluster: Cluster, height: number): Promise<void> {
  await until(
    `block ${height} of ${cluster.name}`,
    async () => {
      const now = await highest(cluster);
      return now >= height ? { found: true } : { missing: `the highest is ${now}` };
    },
    { withinMs: PATIENCE_MS },
  );
}

async function isHeldBack(cluster: Cluster, member: string): Promise<void> {
  await until(
    `ev-node of ${member} held back`,
    async () => {
      const statuses = (await cluster.pod(member)).status?.containerStatuses ?? [];
      const reason = statuses.find(({ name }) => name === "evnode")?.state?.waiting?.reason;
      return reason === "CrashLoopBackOff"
        ? { found: true }
        : { missing: `it is ${reason ?? "not waiting"}` };
    },
    { withinMs: PATIENCE_MS },
  );
}

/** Nobody hears of its blocks, and it hears of none. */
async function makeAlone(file: string, home: string): Promise<void> {
  const yaml = parse(await readFile(file, "utf8")) as Yaml;
  const change = (section: string, fields: Readonly<Record<string, unknown>>) => {
    yaml[section] = { ...yaml[section], ...fields };
  };
  change("raft", { enable: false });
  change("node", { block_time: "100ms" });
  change("p2p", { peers: "", listen_address: "/ip4/127.0.0.1/tcp/17676" });
  change("rpc", { address: "127.0.0.1:17331" });
  change("da", { address: "http://127.0.0.1:17980" });
  change("instrumentation", { prometheus_listen_addr: "127.0.0.1:17660" });
  change("signer", { signer_path: join(home, "config") });
  await chmod(file, 0o600);
  await writeFile(file, stringify(yaml));
}

/** Returns the height of its last block. */
async function runAlone(home: string, others: () => Promise<number>): Promise<number> {
  const passphraseFile = join(home, "config", "passphrase");
  const env = { PATH: process.env["PATH"] ?? "", HOME: home };
  const node = spawn(await buildBinary("testnode"), [...startArgs({ home, passphraseFile })], { env });
  let said = "";
  let hasEnded = false;
  const hear = (chunk: Buffer) => {
    said += chunk.toString("utf8");
  };
  node.stdout.on("data", hear);
  node.stderr.on("data", hear);
  node.on("exit", () => {
    hasEnded = true;
  });
  const made = () => said.split("\n").filter((line) => line.includes("produced block"));
  const height = () => Number(/"height":(\d+)/.exec(made().at(-1) ?? "")?.[1] ?? 0);
  try {
    await until(
      `${OTHER_BLOCKS} other blocks`,
      async () => {
        if (hasEnded) throw new Error(`ev-node ended: ${said.slice(-2_000)}`);
        const isEnough = made().length >= OTHER_BLOCKS && height() >= (await others()) + FASTER;
        return isEnough ? { found: true } : { missing: `there are ${made().length}, up to ${height()}` };
      },
      { withinMs: PATIENCE_MS },
    );
  } finally {
    node.kill("SIGTERM");
    await until("its end", async () => (hasEnded ? { found: true } : { missing: "it runs" }), {
      withinMs: PATIENCE_MS,
    });
  }
  return height();
}
