import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { command } from "../local-cluster/command.ts";
import { provideHelm } from "../local-cluster/helm.ts";
import { say } from "../local-cluster/progress.ts";
import type { Session } from "./session.ts";

const root = join(import.meta.dirname, "../..");
/** Longer than a page's own time-outs. */
const TIMEOUT_MS = 15 * 60_000;

export interface Timed {
  readonly command: string;
  readonly tookMs: number;
}

/** Somebody with a fresh clone, an empty home and a namespace of their own, who pastes commands into a shell. */
export interface Newcomer {
  /** The clone. */
  readonly folder: string;
  /** Where they work from now on: the namespace of their kubeconfig. */
  uses(namespace: string): Promise<void>;
  /** Runs one command in the clone; fails with what it said when it fails. */
  pastes(command: string): Promise<Timed>;
}

export async function provideNewcomer(session: Session): Promise<Newcomer> {
  const home = await mkdtemp(join(tmpdir(), "measure-newcomer-"));
  session.atEnd(`folder ${home}`, async () => rm(home, { recursive: true, force: true }));
  const [folder, bin, kubeconfig] = [join(home, "clone"), join(home, "bin"), join(home, "kubeconfig")];
  await command("git", ["clone", "--quiet", root, folder]);
  await mkdir(bin);
  await symlink(await provideHelm(), join(bin, "helm"));
  const { program } = session.kubectl;
  if (isAbsolute(program)) await symlink(program, join(bin, "kubectl"));
  // The plugin wants the Node.js of this repository; a shell of a person has it where programs of theirs are.
  await symlink(process.execPath, join(bin, "node"));
  const raw = await session.kubectl.run(["config", "view", "--raw"]);
  await writeFile(kubeconfig, raw, { mode: 0o600 });
  const env = {
    HOME: home,
    KUBECONFIG: kubeconfig,
    PATH: `${bin}:${join(home, ".local/bin")}:${process.env["PATH"] ?? ""}`,
  };
  return {
    folder,
    async uses(namespace) {
      const set = ["config", "set-context", "--current", "--namespace", namespace];
      await command("bash", ["-c", `kubectl ${set.join(" ")}`], { env });
    },
    async pastes(line) {
      session.signal.throwIfAborted();
      say(`$ ${line}`);
      const startMs = performance.now();
      await command("bash", ["-euo", "pipefail", "-c", line], { cwd: folder, env, timeoutMs: TIMEOUT_MS });
      return { command: line, tookMs: performance.now() - startMs };
    },
  };
}
