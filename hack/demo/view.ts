import type { MemberScene, Scene } from "./scene.ts";

/** How many blocks must follow, once all members are in sync, before the chain counts as running. */
const blocksToSee = 5;

/** The whole picture, for a terminal that can be drawn over. */
export function picture(scene: Scene, seconds: number, width: number): readonly string[] {
  const columns = scene.members.map((member) => [
    member.name,
    member.role === "unknown" ? "-" : member.role,
    member.height === undefined ? "-" : String(member.height),
    member.ready ? "yes" : "no",
    member.doing,
  ]);
  const rows = [["MEMBER", "ROLE", "HEIGHT", "READY", "DOING"], ...columns];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const table = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const head = `${scene.phase}, quorum ${scene.quorum}, ${seconds} s`;
  return [head, "", ...table].map((line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line));
}

/** One line without numbers that always change: equal lines mean that nothing happened. */
export function digest(scene: Scene): string {
  const member = ({ name, role, ready, doing }: MemberScene) => `${name} ${ready ? role : doing}`;
  return `${scene.phase}: ${scene.members.map(member).join(" | ")}`;
}

/** The height of the highest block that any member reports. */
export function topHeight(scene: Scene): number | undefined {
  const heights = scene.members.flatMap(({ height }) => height ?? []);
  return heights.length === 0 ? undefined : Math.max(...heights);
}

/** What is missing until the cluster is as it should be; `heightInSync` is the height when all were first in sync. */
export function missing(scene: Scene, heightInSync: number | undefined): readonly string[] {
  const behind = scene.members
    .filter(({ ready }) => !ready)
    .map(({ name, doing }) => `${name} is not ready: ${doing}`);
  const leaders = scene.members.filter(({ role }) => role === "leader").length;
  const height = topHeight(scene) ?? 0;
  const goal = (heightInSync ?? height) + blocksToSee;
  return [
    ...behind,
    ...(leaders === 1 ? [] : [`${leaders} members say that they lead, expected 1`]),
    ...(scene.ready
      ? []
      : [`the EvNodeCluster is not Ready${scene.complaints.map((text) => `; ${text}`).join("")}`]),
    ...(height >= goal ? [] : [`the chain is at height ${height}, expected ${goal}`]),
  ];
}

export function allInSync(scene: Scene): boolean {
  return scene.ready && scene.members.every(({ ready, height }) => ready && height !== undefined);
}
