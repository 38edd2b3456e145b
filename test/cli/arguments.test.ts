import { describe, expect, it } from "vitest";
import { commonOptions, parseCommandLine } from "../../src/cli/arguments.ts";
import { commands } from "../../src/cli/commands.ts";
import { candidatesFor } from "../../src/cli/complete.ts";
import { cluster } from "../builders.ts";
import { MemoryApi } from "../fake/memory-api.ts";
import { run } from "./plugin-run.ts";
import { wellStatus } from "./statuses.ts";

const parse = (line: string) => parseCommandLine(line.split(" ").filter(Boolean), commands);

describe("a command line", () => {
  it.each([
    { line: "status", path: "status", argument: undefined, flags: {} },
    { line: "status seq -n rollup", path: "status", argument: "seq", flags: { namespace: "rollup" } },
    { line: "-n rollup status seq", path: "status", argument: "seq", flags: { namespace: "rollup" } },
    {
      line: "status -Aw -ojson",
      path: "status",
      argument: undefined,
      flags: { "all-namespaces": true, watch: true, output: "json" },
    },
    { line: "identity backup seq --file=f", path: "identity backup", argument: "seq", flags: { file: "f" } },
    {
      line: "identity --file f restore seq",
      path: "identity restore",
      argument: "seq",
      flags: { file: "f" },
    },
  ])("%j is understood", ({ line, path, argument, flags }) => {
    const found = parse(line);
    if (found.kind !== "run") throw new Error(JSON.stringify(found));
    expect({
      path: found.command.path,
      argument: found.input.argument,
      flags: { ...found.input.flags },
    }).toEqual({
      path,
      argument,
      flags,
    });
  });

  it.each([
    ["", undefined],
    ["help", undefined],
    ["--help", undefined],
    ["drill --help", "drill"],
    ["help identity backup", "identity backup"],
    ["identity backup -h", "identity backup"],
  ])("%j is a question for help", (line, path) => {
    expect(parse(line)).toMatchObject({ kind: "help", ...(path !== undefined && { command: { path } }) });
  });

  it.each([
    ["fly", /^Unknown command "fly", expected one of: status, why, /],
    ["identity", /^Unknown command "identity", expected one of: identity backup, identity restore$/],
    [
      "identity burn",
      /^Unknown command "identity burn", expected one of: identity backup, identity restore$/,
    ],
    ["why", /^"why" needs NAME$/],
    ["why one two", /^"why" takes no "two"$/],
    ["version seq", /^"version" takes no "seq"$/],
    ["why seq --member seq-1", /^"why" has no flag --member$/],
    ["why seq --fly", /^Unknown option '--fly'$/],
    ["why seq -n", /argument missing/],
    ["why seq --namespace=", /^--namespace is empty, expected a value$/],
  ])("%j is refused in words", (line, problem) => {
    expect(parse(line)).toMatchObject({ kind: "usage", problem: expect.stringMatching(problem) });
  });
});

describe("commands", () => {
  it("mean the same by flags of one name", () => {
    const all = new Map(
      Object.entries(commonOptions).map(([name, { type, short }]) => [name, { type, short }]),
    );
    for (const { options } of commands)
      for (const [name, { type, short }] of Object.entries(options)) {
        expect(all.get(name) ?? { type, short }).toEqual({ type, short });
        all.set(name, { type, short });
      }
    const shorts = [...all.values()].flatMap(({ short }) => short ?? []);
    expect(new Set(shorts).size).toBe(shorts.length);
  });

  it.each(commands)("$path has help with examples that are understood", async ({ path, examples }) => {
    const { code, text } = await run([...path.split(" "), "--help"], { api: new MemoryApi() });
    expect(code).toBe(0);
    for (const example of examples) expect(text).toContain(`  ${example}`);
    const called = examples.flatMap((example) => /kubectl evnode ([^|)>]*)/.exec(example)?.[1] ?? []);
    for (const one of called) expect(parse(one)).toMatchObject({ kind: "run", command: { path } });
  });

  it.each([
    [["fly"], 2, /Unknown command "fly".*\nkubectl evnode --help/],
    [["status", "seq", "-A"], 2, /contradict each other/],
    [["status", "-o", "xml"], 2, /--output is "xml", expected one of wide, json, yaml/],
    [
      ["restart", "seq", "--timeout", "soon"],
      2,
      /--timeout is "soon", expected a duration such as 90s or 5m/,
    ],
    [["completion", "tcsh"], 2, /there is no script for "tcsh", expected one of bash, zsh, fish, kubectl/],
    [["why", "sec"], 1, /there is no EvNodeCluster sec in namespace rollup\nThere are: other, seq/],
    [["why", "seq", "-n", "empty"], 1, /there is no EvNodeCluster seq in namespace empty\nNone is there\./],
  ])("%j ends with %i", async (args, code, says) => {
    const api = new MemoryApi();
    api.put(cluster({ status: wellStatus }));
    api.put(cluster({ metadata: { name: "other", uid: "other" } }));
    const ended = await run(args, { api });
    expect(ended.code).toBe(code);
    expect(ended.told).toMatch(says);
    expect(ended.text).toBe("");
  });
});

describe("completion", () => {
  it.each([
    [["dr"], ["drill"]],
    [
      ["identity", ""],
      ["backup", "restore"],
    ],
    [["-n", "rollup", "pl"], ["plan"]],
    [["status", "--al"], ["--all-namespaces"]],
    [
      ["status", "-o", ""],
      ["wide", "json", "yaml"],
    ],
    [["completion", "z"], ["zsh"]],
    [["version", ""], []],
  ])("of %j offers %j", (line, words) => {
    expect(candidatesFor(line, commands)).toEqual({ kind: "words", words });
  });

  it.each([
    [["why", ""], "other\nseq\n:4"],
    [["why", "s"], "seq\n:4"],
    [["restart", "seq", "--member", ""], "seq-0\nseq-1\nseq-2\n:4"],
    [["identity", "backup", "seq", "--file", ""], ":0"],
    [["why", "", "-n", "empty", ""], ":4"],
  ])("of %j asks the server", async (line, expected) => {
    const api = new MemoryApi();
    api.put(cluster({ status: wellStatus }));
    api.put(cluster({ metadata: { name: "other", uid: "other" } }));
    expect((await run(["__complete", ...line], { api })).text).toBe(expected);
  });
});
