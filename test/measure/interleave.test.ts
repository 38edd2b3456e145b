import { expect, it } from "vitest";
import { interleaved } from "../../hack/measure/interleave.ts";

const letters = (ours: number, theirs: number) =>
  interleaved(ours, theirs)
    .map((side) => (side === "ours" ? "o" : "t"))
    .join("");

it.each([
  [3, 0, "ooo"],
  [0, 2, "tt"],
  [2, 1, "oto"],
  [2, 2, "otot"],
  [6, 2, "ootoooto"],
  [1, 3, "ottt"],
])("%i of ours and %i of theirs are run as %s", (ours, theirs, order) => {
  expect(letters(ours, theirs)).toBe(order);
});
