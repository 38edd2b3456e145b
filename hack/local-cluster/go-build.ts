import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { command } from "./command.ts";
import { cacheDir, moduleDir, versions } from "./layout.ts";
import { step } from "./progress.ts";

interface GoModule {
  /** Folder below go/ that holds go.mod and go.sum. */
  readonly folder: string;
  readonly version: string;
  readonly ldflags: readonly string[];
  readonly tags?: string;
  /** Binary name -> Go package. */
  readonly binaries: Readonly<Record<string, string>>;
}

const [, major = "", minor = ""] = /^v(\d+)\.(\d+)\./.exec(versions.kubernetes) ?? [];
const kubernetesVersion = {
  "k8s.io/component-base/version.gitVersion": versions.kubernetes,
  "k8s.io/component-base/version.gitMajor": major,
  "k8s.io/component-base/version.gitMinor": minor,
  "k8s.io/component-base/version.gitCommit": "unknown",
  "k8s.io/component-base/version.gitTreeState": "clean",
  "k8s.io/component-base/version.buildDate": "1970-01-01T00:00:00Z",
  "k8s.io/client-go/pkg/version.gitVersion": versions.kubernetes,
};
const kubernetesCommands = [
  "kube-apiserver",
  "kube-controller-manager",
  "kubelet",
  "kube-scheduler",
  "kubectl",
  "kube-proxy",
];

const modules: readonly GoModule[] = [
  {
    folder: "kubernetes",
    version: versions.kubernetes,
    ldflags: ["-s", "-w", ...define(kubernetesVersion)],
    binaries: Object.fromEntries(kubernetesCommands.map((name) => [name, `k8s.io/kubernetes/cmd/${name}`])),
  },
  {
    folder: "etcd",
    version: versions.etcd,
    ldflags: ["-s", "-w"],
    binaries: { etcd: "go.etcd.io/etcd/server/v3" },
  },
  {
    folder: "coredns",
    version: versions.coredns,
    ldflags: ["-s", "-w"],
    binaries: { coredns: "github.com/coredns/coredns" },
  },
  {
    folder: "evnode",
    version: versions.evnode,
    ldflags: [
      "-s",
      "-w",
      ...define({
        "github.com/evstack/ev-node/pkg/cmd.Version": versions.evnode,
        "github.com/evstack/ev-node/pkg/cmd.GitSHA": versions.evnodeCommit,
      }),
    ],
    binaries: {
      testnode: "./testnode",
      "local-da": "github.com/evstack/ev-node/tools/local-da",
      pause: "./pause",
    },
  },
  { folder: "delay", version: "v1", ldflags: ["-s", "-w"], binaries: { delay: "." } },
];

/** What no cluster needs, and some tests use when it is there. Without service discovery, which is most of its code. */
const promtool: GoModule = {
  folder: "promtool",
  version: versions.prometheus,
  ldflags: ["-s", "-w"],
  tags: "remove_all_sd",
  binaries: { promtool: "github.com/prometheus/prometheus/cmd/promtool" },
};

/** Another operator, which a measurement runs beside this one. */
const rabbitmq: GoModule = {
  folder: "rabbitmq",
  version: versions.rabbitmqOperator,
  ldflags: ["-s", "-w"],
  binaries: { "rabbitmq-operator": "github.com/rabbitmq/cluster-operator/v2/cmd" },
};

/** Linking kube-apiserver on a cold cache compiles a thousand packages first. */
const BUILD_TIMEOUT_MS = 60 * 60_000;

/** Builds what the cache does not hold yet and answers the path of every binary by its name. */
export async function buildBinaries(): Promise<ReadonlyMap<string, string>> {
  const built = new Map<string, string>();
  for (const module of modules)
    for (const name of Object.keys(module.binaries)) built.set(name, await provide(module, name));
  return built;
}

/** What is of use without the whole cluster: ev-node's test node and its DA layer, what holds packets back, Prometheus' own checks, an API server alone, another operator. */
type SingleBinary =
  | "testnode"
  | "local-da"
  | "delay"
  | "promtool"
  | "rabbitmq-operator"
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kubectl";

/** The same for one of them. */
export async function buildBinary(name: SingleBinary): Promise<string> {
  const module = [...modules, promtool, rabbitmq].find(({ binaries }) => binaries[name] !== undefined);
  if (module === undefined) throw new Error(`no module has ${name}`);
  return provide(module, name);
}

/** Where promtool is, or would be once it is built. */
export async function promtoolPath(): Promise<string> {
  return placeOf(promtool, "promtool");
}

/** The same for ev-node's test node, and for the data-availability layer of its module. */
export async function nodePaths(): Promise<Readonly<Record<"testnode" | "localDa", string>>> {
  const module = modules.find(({ folder }) => folder === "evnode");
  if (module === undefined) throw new Error("no module has the test node");
  return { testnode: await placeOf(module, "testnode"), localDa: await placeOf(module, "local-da") };
}

/** Where the source of RabbitMQ's operator is, with the definition of its resource. */
export async function rabbitmqSource(): Promise<string> {
  const list = ["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", "github.com/rabbitmq/cluster-operator/v2"];
  return (await command("go", list, { cwd: join(moduleDir, rabbitmq.folder) })).trim();
}

async function placeOf(module: GoModule, name: string): Promise<string> {
  const hash = await contentHash(join(moduleDir, module.folder), module);
  return join(cacheDir, `${module.folder}-${module.version}-${hash}`, name);
}

async function provide(module: GoModule, name: string): Promise<string> {
  const source = join(moduleDir, module.folder);
  const file = await placeOf(module, name);
  const goPackage = module.binaries[name] ?? "";
  if (!existsSync(file))
    await step(`building ${name} ${module.version}`, async () => build(module, source, goPackage, file));
  return file;
}

async function build(module: GoModule, source: string, goPackage: string, file: string): Promise<void> {
  await mkdir(join(file, ".."), { recursive: true });
  const partial = `${file}.${process.pid}.partial`;
  await command(
    "go",
    [
      "build",
      "-trimpath",
      ...(module.tags === undefined ? [] : ["-tags", module.tags]),
      "-ldflags",
      module.ldflags.join(" "),
      "-o",
      partial,
      goPackage,
    ],
    { cwd: source, env: { CGO_ENABLED: "0" }, timeoutMs: BUILD_TIMEOUT_MS },
  );
  await rename(partial, file);
}

/** The folder's files and the flags decide what is built; the Go version does not change behaviour. */
async function contentHash(folder: string, module: GoModule): Promise<string> {
  const hash = createHash("sha256").update(`${process.arch}\n${module.ldflags.join(" ")}\n`);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith("_test.go"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) {
    hash.update(`${file.slice(folder.length)}\n`).update(await readFile(file));
  }
  return hash.digest("hex").slice(0, 12);
}

function define(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ["-X", `${name}=${value}`]);
}
