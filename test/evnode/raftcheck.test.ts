import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dropAbove, loggedHeight } from "../../src/agent/raft-log.ts";
import { bootstrapFiles, type RaftMember } from "../../src/evnode/raft-bootstrap.ts";
import { readMembership, readTerm } from "../../src/evnode/raft-membership.ts";
import { realMembers } from "./fixtures.ts";
import { because, go, obstacleToGo } from "./go.ts";

const source = fileURLToPath(new URL("./raftcheck", import.meta.url));
const obstacle = obstacleToGo(source);
const minutesMs = 60_000;

interface View {
  readonly members: readonly (RaftMember & { readonly suffrage: string })[];
  readonly currentTerm: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
}

describe.skipIf(obstacle !== undefined)(
  `raft directories and ev-node's own libraries${because(obstacle)}`,
  () => {
    let scratch: string;
    let program: string;

    beforeAll(() => {
      scratch = mkdtempSync(join(tmpdir(), "raftcheck-"));
      program = join(scratch, "raftcheck");
      execFileSync(go, ["build", "-o", program, "."], { cwd: source });
    }, 10 * minutesMs);

    afterAll(() => {
      rmSync(scratch, { recursive: true, force: true });
    });

    const run = (...args: readonly string[]) =>
      execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const viewOf = (dir: string) => JSON.parse(run("membership", dir)) as View;

    it.each<[string, readonly RaftMember[]]>([
      ["three on loopback", realMembers],
      ["one", members(1, "ev")],
      ["seven with the longest names that Kubernetes gives", members(7, "n".repeat(40), "s".repeat(63))],
      ["five whose names need more than a page", members(5, "ev", "x".repeat(1_000))],
    ])("see the same membership in our files and in their own: %s", (name, membership) => {
      const [ours, theirs] = [join(scratch, `ours ${name}`), join(scratch, `theirs ${name}`)];
      install(ours, membership);
      run("bootstrap", theirs, ...membership.map(peer));

      expect(viewOf(ours)).toEqual(viewOf(theirs));
      expect(viewOf(ours)).toEqual({
        members: membership.map((member) => ({ ...member, suffrage: "Voter" })),
        currentTerm: 1,
        firstIndex: 1,
        lastIndex: 1,
      });
      expect(readMembership(logOf(theirs))).toEqual(readMembership(logOf(ours)));
      expect(readTerm(readFileSync(join(theirs, "raft-stable.db")))).toEqual({ kind: "term", term: 1n });
    });

    it("let ev-node's raft node start on our files, where it would refuse the sentinel without them", () => {
      const [dir, empty] = [join(scratch, "start"), join(scratch, "empty")];
      install(dir, realMembers);
      const start = (where: string) =>
        spawnSync(program, ["start", where, "ev-0", "127.0.0.1:15001", "bootstrapped-by-agent"], {
          encoding: "utf8",
        });

      const started = start(dir);
      expect(started.stderr).toContain("raft node started with existing local state");
      expect(started.status).toBe(0);

      const refused = start(empty);
      expect(refused.stderr).toContain('peer "bootstrapped-by-agent" : expecting nodeID@address for peer');
      expect(refused.status).toBe(1);
    });

    it("go on writing to our files, and we go on reading them", () => {
      const dir = join(scratch, "grown");
      install(dir, realMembers);
      run("grow", dir, "300");

      expect(viewOf(dir)).toMatchObject({ firstIndex: 1, lastIndex: 301 });
      expect(readMembership(logOf(dir))).toMatchObject({ kind: "members", index: 1n });
      run("truncate", dir, "100");
      expect(readMembership(logOf(dir))).toEqual({ kind: "compacted", firstIndex: 101n });
    });

    it.each([270, 285, 299, 300])(
      "read a log that was cut above block %i of 300, and write on",
      async (height) => {
        const dir = join(scratch, `cut ${height}`);
        install(dir, realMembers);
        run("blocks", dir, "1", "300");
        expect(await loggedHeight(dir)).toBe(300);

        dropAbove(dir, height);
        // The membership, and three entries for each block; the two before a dropped block hold nothing and stay.
        const left = 1 + height * 3 + (height < 300 ? 2 : 0);
        expect(JSON.parse(run("last", dir))).toEqual({ height, entries: left });
        expect(await loggedHeight(dir)).toBe(height);

        run("blocks", dir, String(height + 1), String(height + 40));
        expect(JSON.parse(run("last", dir))).toEqual({ height: height + 40, entries: left + 120 });
        expect(await loggedHeight(dir)).toBe(height + 40);
      },
    );
  },
);

function install(dir: string, membership: readonly RaftMember[]): void {
  mkdirSync(dir, { recursive: true });
  for (const [name, content] of Object.entries(bootstrapFiles(membership))) {
    writeFileSync(join(dir, name), content);
    chmodSync(join(dir, name), 0o600);
  }
}

function members(count: number, cluster: string, namespace = "ns"): readonly RaftMember[] {
  return Array.from({ length: count }, (_, ordinal) => ({
    id: `${cluster}-${ordinal}`,
    address: `${cluster}-${ordinal}.${cluster}.${namespace}.svc.cluster.local:5001`,
  }));
}

function peer({ id, address }: RaftMember): string {
  return `${id}@${address}`;
}

function logOf(dir: string): Buffer {
  return readFileSync(join(dir, "raft-log.db"));
}
