import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootstrapFiles } from "../../../src/evnode/raft-bootstrap.ts";
import { type Machine, memberConfig, raftAddress, singleConfig } from "./config.ts";

/** A process that ended without being asked to. */
export interface Death {
  readonly node: string;
  readonly code: number | string;
  /** The last line that it wrote. */
  readonly line: string;
}

export interface NodeFiles {
  readonly passphrase: string;
  readonly signer: string;
  readonly genesis: string;
  readonly nodeKey: string;
}

/** As the guide's unit: `TimeoutStopSec=30`. */
const STOP_TIMEOUT_MS = 30_000;

/** ev-node on one machine of the guide, as a process, started and stopped by hand. */
export class GuideNode implements Machine {
  readonly name: string;
  readonly ip: string;
  readonly home: string;
  readonly raftFolder: string;
  readonly peerId: string;
  readonly deaths: Death[] = [];
  readonly #program: string;
  readonly #daPort: number;
  readonly #log: string;
  #child: ChildProcess | undefined;
  #starts = 0;

  constructor(machine: Machine, program: string, daPort: number) {
    ({
      name: this.name,
      ip: this.ip,
      home: this.home,
      raftFolder: this.raftFolder,
      peerId: this.peerId,
    } = machine);
    this.#program = program;
    this.#daPort = daPort;
    this.#log = join(this.home, "log");
  }

  /** How often it was started: what it served before may have been another chain. */
  get starts(): number {
    return this.#starts;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Steps 2 to 4 and 8: its own node key, the sequencer's signer and genesis, an empty Raft folder. */
  async install({ passphrase, signer, genesis, nodeKey }: NodeFiles): Promise<void> {
    await mkdir(join(this.home, "config"), { recursive: true });
    await mkdir(this.raftFolder, { recursive: true });
    const files = { passphrase, "signer.json": signer, "genesis.json": genesis, "node_key.json": nodeKey };
    for (const [file, text] of Object.entries(files)) await this.#write(file, text, 0o600);
  }

  async configureSingle(): Promise<void> {
    await this.#write("evnode.yaml", singleConfig(this, this.#daPort));
  }

  /** As a member beside these, of which it may be one. */
  async configureMember(members: readonly GuideNode[]): Promise<void> {
    const others = members.filter((other) => other !== this);
    await this.#write("evnode.yaml", memberConfig(this, others, this.#daPort));
  }

  async #write(file: string, text: string, mode = 0o644): Promise<void> {
    await writeFile(join(this.home, "config", file), text, { mode });
  }

  /**
   * What a group that runs already has in its Raft folder. Written as the operator does, so that ev-node's first-start
   * race does not end the group before anything is shown on it.
   */
  async bootstrap(members: readonly GuideNode[]): Promise<void> {
    const files = bootstrapFiles(
      members.map((member) => ({ id: member.name, address: raftAddress(member) })),
    );
    for (const [file, content] of Object.entries(files))
      await writeFile(join(this.raftFolder, file), content as Buffer, { mode: 0o600 });
  }

  async wipeRaft(): Promise<void> {
    await rm(this.raftFolder, { recursive: true, force: true });
    await mkdir(this.raftFolder);
  }

  async wipeBlocks(): Promise<void> {
    await rm(join(this.home, "data"), { recursive: true, force: true });
  }

  /** Step 5. Neither of them may run. */
  async copyBlocksFrom(other: GuideNode): Promise<void> {
    await this.wipeBlocks();
    await cp(join(other.home, "data"), join(this.home, "data"), { recursive: true });
  }

  start(): void {
    if (this.#child !== undefined) throw new Error(`${this.name} runs already`);
    const passphrase = `--evnode.signer.passphrase_file=${join(this.home, "config", "passphrase")}`;
    const log = openSync(this.#log, "a");
    // Nothing of the environment: ev-node takes a variable such as NODE for a section of its config.
    const child = spawn(this.#program, ["start", `--home=${this.home}`, passphrase], {
      env: { HOME: this.home },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#starts += 1;
    this.#child = child;
    child.once("exit", (code, signal) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      void this.#noteDeath(code ?? signal ?? "unknown");
    });
  }

  async #noteDeath(code: number | string): Promise<void> {
    this.deaths.push({ node: this.name, code, line: await this.lastLine() });
  }

  /** Of all that it wrote, over all starts; empty when it wrote nothing. */
  async lastLine(): Promise<string> {
    const said = await readFile(this.#log, "utf8").catch(() => "");
    return said.trimEnd().split("\n").at(-1) ?? "";
  }

  /** As `systemctl stop`: asked to end, and killed when that takes too long. */
  async stop(first: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    // Asked for, so no death.
    this.#child = undefined;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(first);
    const patience = new AbortController();
    const late = sleep(STOP_TIMEOUT_MS, "late", { signal: patience.signal }).catch(() => "ended");
    if ((await Promise.race([ended, late])) === "late") child.kill("SIGKILL");
    await ended;
    patience.abort();
  }
}
