import type { EvNodeCluster } from "../../api/evnodecluster.ts";
import { kinds } from "../../model/kinds.ts";
import { getCluster, listAll } from "../clusters.ts";
import { type Command, type Connection, type Input, isSet, type Session, textFlag } from "../command.ts";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { codeOf } from "../health.ts";
import { type Format, outputOf, rendered } from "../output.ts";
import { statusTable } from "../status-table.ts";
import { statusTree } from "../status-tree.ts";
import { renderTree } from "../tree.ts";
import { type Show, watchClusters } from "../watch-clusters.ts";

export const status: Command = {
  path: "status",
  summary: "Show clusters, or one with its members and what is under way.",
  details: `Without a name: a line for each cluster. With a name: its members (role, height, lag, round trip from the
leader), the rollout under way as a tree, the network, and the last rollout, drill and repair.

Exit code 0 when all that is shown is ready, 3 when something is not, 4 when nobody can say.`,
  argument: { name: "NAME", isRequired: false },
  options: {
    "all-namespaces": { type: "boolean", short: "A", help: "Clusters of all namespaces." },
    watch: { type: "boolean", short: "w", help: "Show every change, until Ctrl-C." },
    output: {
      type: "string",
      short: "o",
      value: "FORMAT",
      help: "wide, json or yaml instead of text.",
      choices: ["wide", "json", "yaml"],
    },
  },
  examples: [
    "kubectl evnode status",
    "kubectl evnode status my-chain --watch",
    "kubectl evnode status -A -o wide",
    "kubectl evnode status my-chain -o json | jq .status.leader",
  ],
  async run(session, input) {
    const format = outputOf(textFlag(input, "output"), ["wide", "json", "yaml"]);
    const { argument: name } = input;
    const isEverywhere = isSet(input, "all-namespaces");
    if (name !== undefined && isEverywhere)
      throw new Failure(exitCodes.usage, "a name and --all-namespaces contradict each other");
    const connection = await session.connect();
    if (isSet(input, "watch")) return watched(session, connection, input, format);
    const clusters =
      name === undefined ? await clustersIn(connection, isEverywhere) : [await getCluster(connection, name)];
    if (clusters.length === 0 && (format === "text" || format === "wide")) {
      session.terminal.tell(
        isEverywhere
          ? "No EvNodeCluster found."
          : `No EvNodeCluster found in namespace ${connection.namespace}.`,
      );
      return exitCodes.well;
    }
    session.terminal.print(shown(session, clusters, { name, format, isEverywhere }));
    return codeOf(clusters);
  },
};

function clustersIn(connection: Connection, isEverywhere: boolean): Promise<readonly EvNodeCluster[]> {
  return listAll(connection, kinds.cluster, isEverywhere ? {} : { namespace: connection.namespace });
}

interface Shape {
  readonly name: string | undefined;
  readonly format: Format;
  readonly isEverywhere: boolean;
}

function shown({ clock, terminal }: Session, clusters: readonly EvNodeCluster[], shape: Shape): string {
  const { name, format, isEverywhere } = shape;
  const { paint } = terminal;
  const nowMs = clock.nowMs();
  const data = clusters.map(bare);
  return rendered(format, name === undefined ? { items: data } : data[0], () => {
    const [cluster] = clusters;
    if (name !== undefined && cluster !== undefined) return renderTree(statusTree(cluster, nowMs, paint));
    return statusTable(clusters, { nowMs, paint, isWide: format === "wide", hasNamespaces: isEverywhere });
  });
}

/** The object as programs want it: without what only the server needs. */
function bare(cluster: EvNodeCluster): EvNodeCluster {
  const { managedFields: _, ...metadata } = cluster.metadata;
  return { ...cluster, metadata };
}

/** Draws anew on a screen; prints what is new where there is none. Ends with what was seen last. */
async function watched(
  session: Session,
  connection: Connection,
  { argument: name, flags }: Input,
  format: Format,
): Promise<ExitCode> {
  const { terminal } = session;
  const isEverywhere = flags["all-namespaces"] === true;
  const isDrawn = terminal.width !== undefined && (format === "text" || format === "wide");
  let last = "";
  let lastTrouble: string | undefined;
  const show: Show = (clusters, trouble) => {
    const isGone = name !== undefined && clusters.length === 0;
    const text = isGone
      ? `EvNodeCluster ${name} is gone.`
      : shown(session, clusters, { name, format, isEverywhere });
    if (isDrawn)
      return terminal.redraw(trouble === undefined ? text : `${text}\n\n${terminal.paint.warn(trouble)}`);
    if (trouble !== undefined && trouble !== lastTrouble) terminal.tell(trouble);
    if (text !== last) terminal.print(text);
    [last, lastTrouble] = [text, trouble];
  };
  if (name !== undefined) await getCluster(connection, name);
  const scope = {
    ...(!isEverywhere && { namespace: connection.namespace }),
    ...(name !== undefined && { name }),
  };
  return codeOf(await watchClusters(session, connection, scope, show));
}
