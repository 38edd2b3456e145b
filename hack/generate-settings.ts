import { evnodeKeys, type KeyOrigin } from "../src/api/evnode-keys.ts";
import { ownedFlags } from "../src/api/schema/owned-flags.ts";
import { GENERATED } from "./generate-crd.ts";
import { capital, code, table } from "./generate-reference.ts";

/** Every key of evnode.yaml, and what becomes of it. */
export function settings(): string {
  const rows = Object.entries(evnodeKeys);
  return [
    `<!-- ${GENERATED} -->`,
    "# ev-node's settings",
    "Every setting that ev-node v1.2.2 has, as a key of `evnode.yaml`, and where its value comes from in a cluster. What a field means, and which values it takes, is told in the [reference](reference.md). A field that is absent leaves the key to the operator's default where the reference names one, and else to ev-node's own.",
    "## By a field of the spec",
    table(
      ["Key of evnode.yaml", "Field"],
      rows.flatMap(([key, origin]) => (origin.from === "Spec" ? [[code(key), fieldsOf(origin)]] : [])),
    ),
    "## How far Raft's log reaches back",
    "ev-node writes three entries into Raft's log for each block: two that prove the quorum, and the block itself. `spec.raft.trailingLogs` entries are kept after a snapshot, so a member that was away for a third of so many blocks catches up from the log. `spec.raft.absenceCovered` says it as a time: at a block every second `1h` keeps 10,800 entries, at ten blocks a second 108,000. A change of `chain.blockTime` then changes the log with it. `status.effective.raftLog` shows what is in effect, and the time that it covers, however it was given. Each third entry holds a whole block, and the file never shrinks: give the volumes room.",
    "## By the operator",
    "A sequencer of a cluster has no choice in these.",
    reasons(rows, "Operator"),
    "## Refused",
    "As a flag in `spec.app.extraArgs` these are refused: with them a member would be something other than a sequencer that takes turns with others.",
    reasons(rows, "Refused"),
    "## By flags",
    "Settings of the application itself, and keys of a later ev-node, can be given as flags in `spec.app.extraArgs`; a flag wins over the file. A flag and its field together are refused, and so are those flags, with the prefix `evnode.` or `rollkit.`, that the operator has to set itself; a dot at the end means all that begin so:",
    ownedFlags.map(code).join(", "),
    "One setting of ev-node is a flag alone:",
    reasons(rows, "Flag"),
  ]
    .join("\n\n")
    .concat("\n");
}

function fieldsOf({ fields, note }: Extract<KeyOrigin, { from: "Spec" }>): string {
  const paths = fields.map((field) => code(`spec.${field}`)).join(", ");
  return note === undefined ? paths : `${paths} (${note})`;
}

function reasons(
  rows: readonly (readonly [string, KeyOrigin])[],
  from: "Operator" | "Refused" | "Flag",
): string {
  return table(
    ["Key of evnode.yaml", "Why"],
    rows.flatMap(([key, origin]) => (origin.from === from ? [[code(key), `${capital(origin.why)}.`]] : [])),
  );
}
