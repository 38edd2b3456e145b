import { parseArgs } from "node:util";
import {
  down,
  kubeconfigPath,
  loadImage,
  restartComponent,
  startComponent,
  status,
  stopComponent,
  up,
} from "./cluster.ts";
import { type ComponentName, componentNames } from "./components.ts";
import { runProvisioner } from "./provisioner.ts";
import { makeChainMaterial, renderYardstick } from "./yardstick.ts";

const usage = `usage: npm run cluster -- COMMAND

  up                   start the cluster, building what is missing; heals a cluster that is up in part
  down                 stop it and remove everything but the build cache
  status               show the components; exit code 1 unless all run
  kubeconfig           print the path of the kubeconfig
  load IMAGE.tar…      load OCI image archives
  restart COMPONENT    also: stop COMPONENT, start COMPONENT
                       components: ${componentNames.join(", ")}
  yardstick NAMESPACE [REPLICAS]
                       print a hand-written ev-node cluster with new keys, for kubectl apply;
                       it expects hack/local-cluster/manifests/local-da.yaml in that namespace
`;

async function main(args: readonly string[]): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true });
  const [name, ...rest] = positionals;
  switch (name) {
    case "up": {
      const tools = await up();
      process.stdout.write(
        `export KUBECONFIG=${tools.kubeconfig}\n# kubectl: ${tools.kubectl}\n# helm: ${tools.helm}\n`,
      );
      return 0;
    }
    case "down":
      await down();
      return 0;
    case "status":
      return printStatus();
    case "kubeconfig":
      process.stdout.write(`${kubeconfigPath()}\n`);
      return 0;
    case "load":
      for (const file of rest) await loadImage(file);
      return 0;
    case "restart":
      await restartComponent(componentOf(rest));
      return 0;
    case "start":
      await startComponent(componentOf(rest));
      return 0;
    case "stop":
      await stopComponent(componentOf(rest));
      return 0;
    case "yardstick":
      return printYardstick(rest);
    case "provision":
      return runProvisioner();
    case undefined:
    default:
      process.stderr.write(usage);
      return 2;
  }
}

async function printStatus(): Promise<number> {
  const found = await status();
  for (const [name, pid] of found) {
    process.stdout.write(`${name.padEnd(20)}${pid === undefined ? "stopped" : `running, process ${pid}`}\n`);
  }
  return [...found.values()].includes(undefined) ? 1 : 0;
}

async function printYardstick([namespace, replicas = "3"]: readonly string[]): Promise<number> {
  if (namespace === undefined) throw new Error("yardstick needs a namespace");
  const { testnode } = await up();
  const material = await makeChainMaterial(testnode, Number(replicas), namespace);
  const items = renderYardstick({ namespace }, material);
  process.stdout.write(`${JSON.stringify({ apiVersion: "v1", kind: "List", items })}\n`);
  return 0;
}

function componentOf(args: readonly string[]): ComponentName {
  const found = componentNames.find((name) => name === args[0]);
  if (!found) throw new Error(`no component "${args[0] ?? ""}"; there are ${componentNames.join(", ")}`);
  return found;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
