import type { CompleteExecution, CompleteSpec } from "../api/complete-spec.ts";
import { executionPorts } from "../api/fixed.ts";
import { JWT_ENTRY } from "../model/identity.ts";
import { EXECUTION_CONTAINER } from "../model/member.ts";
import { identitySecretName } from "../model/names.ts";
import type { Pod } from "../model/objects.ts";
import { amountsOf } from "./amounts.ts";
import { paths } from "./paths.ts";
import { confinedApart } from "./pod-security.ts";

type PodSpec = NonNullable<Pod["spec"]>;
type Container = PodSpec["containers"][number];
type Volume = NonNullable<PodSpec["volumes"]>[number];

/** Past the image's own entry point, an init that a pod with one process namespace needs no second of. */
export const CLIENT_COMMAND = ["ev-reth"];

/** Name of the claim template. */
export const EXECUTION_VOLUME = "execution";

/** What ev-node and the execution client both mount: no more of the identity than this one entry. */
export const jwtMount = { name: "execution-jwt", mountPath: folderOf(paths.jwt), readOnly: true };

/**
 * The second native sidecar: started when the agent has prepared the member, and up before ev-node is started, since
 * ev-node ends when it is not. It is stopped after ev-node. The engine is on the loopback interface, where kubelet
 * cannot knock; the port that the probes knock at is opened together with it.
 */
export function executionClient(
  { imagePullPolicy, log }: CompleteSpec,
  execution: CompleteExecution,
): Container & { restartPolicy: string } {
  const isOpen = { tcpSocket: { port: executionPorts.eth } };
  return {
    name: EXECUTION_CONTAINER,
    image: execution.image,
    imagePullPolicy,
    restartPolicy: "Always",
    command: [...CLIENT_COMMAND],
    args: [...clientArgs(log.format, execution.extraArgs), ...execution.extraArgs],
    // What it writes beside its data goes to its volume: the rest of its file system is read-only.
    env: ["HOME", "TMPDIR"].map((name) => ({ name, value: paths.execution })),
    ports: [
      { name: "eth", containerPort: executionPorts.eth, protocol: "TCP" },
      { name: "eth-ws", containerPort: executionPorts.ws, protocol: "TCP" },
      { name: "eth-metrics", containerPort: executionPorts.metrics, protocol: "TCP" },
    ],
    // An hour: a data base that is repaired after a crash must not be killed for it.
    startupProbe: { ...isOpen, periodSeconds: 1, failureThreshold: 3_600 },
    livenessProbe: { ...isOpen, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    resources: amountsOf(execution.resources),
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: confinedApart,
    volumeMounts: [
      { name: EXECUTION_VOLUME, mountPath: paths.execution },
      { name: "execution-genesis", mountPath: folderOf(paths.executionGenesis), readOnly: true },
      jwtMount,
    ],
  };
}

/** As upstream's compose file has them, on the interfaces that they are for, and with nothing written elsewhere. */
function clientArgs(format: "json" | "text", given: readonly string[]): readonly string[] {
  const unlessGiven = (flag: string, value: string) =>
    given.some((argument) => argument.startsWith(`${flag}=`)) ? [] : [`${flag}=${value}`];
  return [
    "node",
    `--chain=${paths.executionGenesis}`,
    `--datadir=${paths.execution}/reth`,
    "--authrpc.addr=127.0.0.1",
    `--authrpc.port=${executionPorts.engine}`,
    `--authrpc.jwtsecret=${paths.jwt}`,
    "--http",
    "--http.addr=0.0.0.0",
    `--http.port=${executionPorts.eth}`,
    ...unlessGiven("--http.api", "eth,net,web3,txpool"),
    "--ws",
    "--ws.addr=0.0.0.0",
    `--ws.port=${executionPorts.ws}`,
    ...unlessGiven("--ws.api", "eth,net,web3"),
    `--metrics=0.0.0.0:${executionPorts.metrics}`,
    "--ipcdisable",
    "--disable-discovery",
    // A block that ev-node has is on disk here too, before the next one.
    "--engine.persistence-threshold=0",
    "--engine.memory-block-buffer-target=0",
    `--log.stdout.format=${format === "json" ? "json" : "terminal"}`,
    "--log.file.max-files=0",
    "--color=never",
  ];
}

export function executionVolumes(cluster: string, { genesisConfigMap }: CompleteExecution): Volume[] {
  const { name, key } = genesisConfigMap;
  return [
    {
      name: "execution-jwt",
      secret: {
        secretName: identitySecretName(cluster),
        items: [{ key: JWT_ENTRY, path: JWT_ENTRY }],
        defaultMode: 0o440,
      },
    },
    {
      name: "execution-genesis",
      configMap: { name, items: [{ key, path: fileOf(paths.executionGenesis) }], defaultMode: 0o444 },
    },
  ];
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function fileOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
