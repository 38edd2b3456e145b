import { KubeError } from "../../kube/errors.ts";
import { labels } from "../../model/annotations.ts";
import { type Kind, kinds } from "../../model/kinds.ts";
import type { KubeObject } from "../../model/kube-object.ts";

import { getCluster, listAll } from "../clusters.ts";
import { type Command, type Connection, textFlag } from "../command.ts";
import { diagnosisFrom, type Evidence, type Found } from "../diagnosis.ts";
import { diagnosisText } from "../diagnosis-text.ts";
import { exitCodes } from "../exit-code.ts";
import { outputOf, rendered } from "../output.ts";
import { nameIn, oneCluster, outputOption } from "./named.ts";

export const diagnose: Command = {
  path: "diagnose",
  summary: "Collect what others need to help into one report, without secrets.",
  details: `The cluster with its conditions, members, last exits and what they mean, Events, StatefulSet, volume claims,
Services and disruption budget. Secrets are never read, nor logs or the environment of containers; what looks like a
password or a token in any other text is hidden. Read it before you send it: addresses and names are in it.

What you may not read is left out, and the report says so.`,
  argument: oneCluster,
  options: {
    file: {
      type: "string",
      short: "f",
      value: "FILE",
      help: "Write it into this file, which must not exist yet.",
    },
    output: outputOption,
  },
  examples: ["kubectl evnode diagnose my-chain", "kubectl evnode diagnose my-chain --file report.md"],
  async run({ clock, connect, files, terminal, version }, input) {
    const format = outputOf(textFlag(input, "output"));
    const nowMs = clock.nowMs();
    const found = diagnosisFrom(await evidenceOf(await connect(), nameIn(input), version, nowMs));
    const text = rendered(format, found, () => diagnosisText(found, nowMs));
    const file = textFlag(input, "file");
    if (file === undefined) {
      terminal.print(text);
      return exitCodes.well;
    }
    await files.create(file, `${text}\n`);
    terminal.print(`The report is in ${file}. Read it before you send it.`);
    return exitCodes.well;
  },
};

async function evidenceOf(
  connection: Connection,
  name: string,
  plugin: string,
  nowMs: number,
): Promise<Evidence> {
  const cluster = await getCluster(connection, name);
  const { namespace } = connection;
  const labelSelector = `${labels.cluster}=${name}`;
  const ofCluster = <T extends KubeObject>(kind: Kind<T>) =>
    read(connection, kind, { namespace, labelSelector });
  const [pods, statefulSets, claims, services, budgets, events] = await Promise.all([
    ofCluster(kinds.pod),
    ofCluster(kinds.statefulSet),
    ofCluster(kinds.claim),
    ofCluster(kinds.service),
    ofCluster(kinds.disruptionBudget),
    read(connection, kinds.event, { namespace }),
  ]);
  const kubernetes = await connection.serverVersion().catch(() => "of an unknown version");
  return { cluster, pods, statefulSets, claims, services, budgets, events, kubernetes, plugin, nowMs };
}

async function read<T extends KubeObject>(
  connection: Connection,
  kind: Kind<T>,
  scope: { readonly namespace: string; readonly labelSelector?: string },
): Promise<Found<T>> {
  try {
    return { kind: "read", items: await listAll(connection, kind, scope) };
  } catch (error) {
    if (error instanceof KubeError) return { kind: "unread", why: error.message };
    throw error;
  }
}
