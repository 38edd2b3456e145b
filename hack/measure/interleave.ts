/**
 * `ours` and `theirs` runs in one order, spread evenly, so that both sides meet the same moods of the machine.
 * Ours come first, and the last of theirs is never far from the last of ours.
 */
export function interleaved(ours: number, theirs: number): readonly ("ours" | "theirs")[] {
  const order: ("ours" | "theirs")[] = [];
  let done = 0;
  for (let run = 1; run <= ours; run += 1) {
    order.push("ours");
    const due = Math.round((run * theirs) / ours);
    for (; done < due; done += 1) order.push("theirs");
  }
  for (; done < theirs; done += 1) order.push("theirs");
  return order;
}
