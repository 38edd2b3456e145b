import { describe, expect, it } from "vitest";
import { type Campaign, campaign } from "../../hack/measure/campaign.ts";
import { campaigns } from "../../hack/measure/campaigns.ts";
import { readCommandLine } from "../../hack/measure/command-line.ts";

const starts: Campaign = campaign({
  name: "starts",
  about: "how clusters start",
  options: {
    runs: { full: 30, short: 2, about: "starts" },
    "busy-loops": { full: 4, short: 1, about: "processes" },
  },
  run: async () => ({ tables: [], notes: [], failures: [], values: undefined }),
});

const read = (...args: string[]) => readCommandLine(args, [starts]);

describe("the command line of a measurement", () => {
  it("takes the long form when nothing is said", () => {
    expect(read("starts")).toEqual({
      kind: "run",
      request: {
        campaign: starts,
        options: { runs: 30, "busy-loops": 4 },
        isShort: false,
        output: undefined,
        picture: undefined,
      },
    });
  });

  it("takes the short form, and single options over it", () => {
    expect(read("starts", "--short", "--runs", "7", "--output", "figures.json")).toEqual({
      kind: "run",
      request: {
        campaign: starts,
        options: { runs: 7, "busy-loops": 1 },
        isShort: true,
        output: "figures.json",
        picture: undefined,
      },
    });
  });

  it.each([
    [["stops"], 'there is no campaign "stops", expected one of starts'],
    [["starts", "--runs", "many"], "--runs many, expected a whole number from 0 to 1000000"],
    [["starts", "--runs", "2.5"], "--runs 2.5, expected a whole number from 0 to 1000000"],
    [["starts", "--runs="], "--runs , expected a whole number from 0 to 1000000"],
    [["starts", "--runs", "9999999"], "--runs 9999999, expected a whole number from 0 to 1000000"],
  ])("refuses %s", (args, problem) => {
    expect(read(...args)).toEqual({ kind: "wrong", problem });
  });

  it("refuses an option that the campaign does not have", () => {
    expect(read("starts", "--kills", "3")).toMatchObject({
      kind: "wrong",
      problem: expect.stringContaining("--kills"),
    });
  });

  it.each([[[]], [["--help"]], [["starts", "--help"]]])("explains itself for %s", (args) => {
    const line = read(...args);
    expect(line).toMatchObject({ kind: "help", text: expect.stringMatching(/starts .*\n.*--runs/) });
  });

  it("knows every campaign by another name", () => {
    const names = campaigns.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("gives every campaign a short form that is no longer than the long one", () => {
    const longer = campaigns.flatMap(({ name, options }) =>
      Object.entries(options).flatMap(([option, { full, short }]) =>
        short > full ? [`${name} --${option}`] : [],
      ),
    );
    expect(longer).toEqual([]);
  });
});
