import { expect, it } from "vitest";
import { comparison } from "../../hack/measure/comparison.ts";
import { duration, renderTable } from "../../hack/measure/table.ts";

it.each([
  [0.4, "0 ms"],
  [999, "999 ms"],
  [1_000, "1.0 s"],
  [9_949, "9.9 s"],
  [31_400, "31 s"],
  [-40, "-40 ms"],
  [undefined, "-"],
])("%s milliseconds are shown as %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

it("columns are aligned, names to the left and figures to the right", () => {
  const table = {
    title: "Times",
    columns: ["", "median"],
    rows: [
      ["operator", "2.0 s"],
      ["StatefulSet", "10 s"],
    ],
  };
  expect(renderTable(table)).toBe(
    ["Times", "             median", "operator      2.0 s", "StatefulSet    10 s"].join("\n"),
  );
});

it("a comparison shows both sides and ours as a share", () => {
  const { rows } = comparison("Gap", { ours: [1_000, 3_000], theirs: [4_000, undefined] });
  expect(rows).toEqual([
    ["operator", "2", "2.0 s", "1.0 s", "3.0 s", "0.50", "0.75"],
    ["StatefulSet", "1", "4.0 s", "4.0 s", "4.0 s", "", ""],
  ]);
});
