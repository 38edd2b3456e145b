import { describe, expect, it } from "vitest";
import { problemsOf } from "../../hack/tidy/check.ts";
import { functionsOf } from "../../hack/tidy/functions.ts";
import { tokensOf } from "../../hack/tidy/tokens.ts";

function messages(file: string, ...lines: string[]): readonly string[] {
  return problemsOf(file, `${lines.join("\n")}\n`).map(({ line, message }) => `${line}: ${message}`);
}

function texts(source: string): readonly string[] {
  return tokensOf(source).map(({ text }) => text);
}

describe("the scanner", () => {
  const cases: readonly { name: string; source: string; tokens: readonly string[] }[] = [
    { name: "leaves out comments", source: "a // b\n/* c\n{ */ d", tokens: ["a", "d"] },
    {
      name: "keeps an escaped quote inside its string",
      source: String.raw`f("a\"b", 'c')`,
      tokens: ["f", "(", String.raw`a\"b`, ",", "c", ")"],
    },
    { name: "does not read a comment into a string", source: 'x = "// no"', tokens: ["x", "=", "// no"] },
    {
      name: "reads the code within a template",
      source: "`a${ b({ c: `d` }) }e`",
      tokens: ["a${", "b", "(", "{", "c", ":", "d`", "}", ")", "e`"],
    },
    {
      name: "takes a slash behind an operand as a division",
      source: "a / b / c",
      tokens: ["a", "/", "b", "/", "c"],
    },
    {
      name: "takes a slash behind an operator as a regular expression",
      source: 'x = /[/"]{2}/g',
      tokens: ["x", "=", '/[/"]{2}/g'],
    },
    {
      name: "takes a slash behind return as a regular expression",
      source: "return /{/",
      tokens: ["return", "/{/"],
    },
    { name: "keeps arrows whole", source: "(a) => b", tokens: ["(", "a", ")", "=>", "b"] },
  ];
  it.each(cases)("$name", ({ source, tokens }) => {
    expect(texts(source)).toEqual(tokens);
  });

  it("counts lines through comments, strings and templates", () => {
    const source = "/*\n*/ a\n`\n${b}\n`\nc";
    expect(tokensOf(source).map(({ text, line }) => [text, line])).toEqual([
      ["a", 2],
      ["\n${", 3],
      ["b", 4],
      ["\n`", 4],
      ["c", 6],
    ]);
  });
});

describe("function lengths", () => {
  const cases: readonly {
    name: string;
    source: readonly string[];
    spans: readonly (readonly [number, number])[];
  }[] = [
    { name: "a declaration", source: ["function f(a) {", "  return a;", "}"], spans: [[1, 3]] },
    { name: "an object type as result", source: ["function f(): { a: number } {", "}"], spans: [[1, 2]] },
    {
      name: "a generic result",
      source: ["function f(): Promise<Map<string, { a: 1 }>> {", "}"],
      spans: [[1, 2]],
    },
    {
      name: "a function type as result",
      source: ["function f(): (a: string) => void {", "}"],
      spans: [[1, 2]],
    },
    { name: "a type predicate as result", source: ["function f(a): a is { b: 1 } {", "}"], spans: [[1, 2]] },
    { name: "a union over lines", source: ["function f():", "  | A", "  | B {", "}"], spans: [[1, 4]] },
    { name: "an arrow function", source: ["const f = (a) => {", "  a();", "};"], spans: [[1, 3]] },
    {
      name: "an arrow function with a result type",
      source: ["const f = (a): Set<B> => {", "};"],
      spans: [[1, 2]],
    },
    {
      name: "a method and the function in it",
      source: ["x = {", "  async m() {", "    g(() => {", "    });", "  },", "};"],
      spans: [
        [2, 4],
        [3, 2],
      ],
    },
    {
      name: "no statement with a block",
      source: ["if (a) {", "}", "for (;;) {", "}", "while (b) {", "}", "switch (c) {", "}"],
      spans: [],
    },
    {
      name: "no expression after a conditional operator",
      source: ["x = a ? f(b) : {", "  c: 1,", "};"],
      spans: [],
    },
    {
      name: "no object that an arrow function returns",
      source: ["const f = () => ({", "  a: 1,", "});"],
      spans: [],
    },
    { name: "no brace in a string", source: ['f(") {");', "}"], spans: [] },
  ];
  it.each(cases)("find $name", ({ source, spans }) => {
    const found = functionsOf(tokensOf(source.join("\n"))).map(({ line, lines }) => [line, lines]);
    expect(found.sort(([a = 0], [b = 0]) => a - b)).toEqual(spans);
  });

  const body = (count: number) => Array.from({ length: count }, (_, index) => `  f(${index});`);

  it("stop at 70 lines", () => {
    expect(messages("src/runtime/a.ts", "function f() {", ...body(68), "}")).toEqual([]);
    expect(messages("src/runtime/a.ts", "", "function f() {", ...body(69), "}")).toEqual([
      "2: a function of 71 lines, expected at most 70",
    ]);
  });

  it("let describe hold many tests, but no test be long", () => {
    const test = ['  it("works", () => {', ...body(80), "  });"];
    expect(messages("test/a.test.ts", 'describe("a", () => {', ...body(80), "});")).toEqual([]);
    expect(
      messages("test/a.test.ts", 'describe.each([{ a: [1] }])("a $a", ({ a }) => {', ...test, "});"),
    ).toEqual(["2: a function of 82 lines, expected at most 70"]);
  });
});

describe("file lengths", () => {
  const lines = (count: number) => Array.from({ length: count }, () => "f();");
  it.each([
    { file: "src/runtime/a.ts", limit: 400 },
    { file: "hack/a.ts", limit: 400 },
    { file: "test/a.test.ts", limit: 600 },
  ])("stop at $limit lines for $file", ({ file, limit }) => {
    expect(messages(file, ...lines(limit))).toEqual([]);
    expect(messages(file, ...lines(limit + 1))).toEqual([
      `1: a file of ${limit + 1} lines, expected at most ${limit}`,
    ]);
  });

  it("have no limit for the one schema", () => {
    expect(messages("src/api/schema.ts", ...lines(900))).toEqual([]);
  });
});

describe("import directions", () => {
  const allowed: readonly (readonly [string, string])[] = [
    ["src/api/a.ts", 'import { z } from "zod";'],
    ["src/api/a.ts", 'import { b } from "./b.ts";'],
    ["src/model/a.ts", 'import type { b } from "../api/b.ts";'],
    ["src/plan/a.ts", 'import { b } from "../resources/b.ts";'],
    ["src/plan/a.ts", 'import { createHash } from "node:crypto";'],
    ["src/plan/a.ts", 'import type { IPod } from "kubernetes-models/v1";'],
    ["src/evnode/a.ts", 'import { isIP } from "node:net";'],
    ["src/act/a.ts", 'import type { KubeApi } from "../kube/api.ts";'],
    ["src/act/a.ts", 'import { systemClock } from "../runtime/clock.ts";'],
    ["src/act/a.ts", 'import type { World } from "../observe/world.ts";'],
    ["src/kube/a.ts", 'import type { b } from "../api/b.ts";'],
    ["src/kube/a.ts", 'import { KubeConfig } from "@kubernetes/client-node";'],
    ["src/agent/a.ts", 'import { readFile } from "node:fs/promises";'],
    ["src/reconcile.ts", 'import type { b } from "./plan/b.ts";'],
    ["src/main.ts", 'const agent = await import("./agent/main.ts");'],
    ["hack/a.ts", 'import { b } from "../src/api/b.ts";'],
  ];
  it.each(allowed)("let %s say %s", (file, line) => {
    expect(messages(file, line)).toEqual([]);
  });

  const refused: readonly (readonly [string, string, string])[] = [
    ["src/api/a.ts", 'import { b } from "../plan/b.ts";', "src/api imports ../plan/b.ts"],
    ["src/api/a.ts", 'import { readFile } from "node:fs";', "src/api imports node:fs"],
    ["src/evnode/a.ts", 'import { b } from "../model/b.ts";', "src/evnode imports ../model/b.ts"],
    ["src/evnode/a.ts", 'import { connect, isIP } from "node:net";', "src/evnode imports node:net"],
    ["src/evnode/a.ts", 'import net from "node:net";', "src/evnode imports node:net"],
    [
      "src/resources/a.ts",
      'import { IPod } from "kubernetes-models/v1";',
      "src/resources imports kubernetes-models/v1",
    ],
    ["src/resources/a.ts", 'export * from "../plan/b.ts";', "src/resources imports ../plan/b.ts"],
    ["src/plan/a.ts", 'import "../kube/b.ts";', "src/plan imports ../kube/b.ts"],
    ["src/act/a.ts", 'import type { b } from "../kube/watch.ts";', "src/act imports ../kube/watch.ts"],
    ["src/act/a.ts", 'import { World } from "../observe/world.ts";', "src/act imports ../observe/world.ts"],
    ["src/act/a.ts", 'import { b } from "../runtime/queue.ts";', "src/act imports ../runtime/queue.ts"],
    ["src/agent/a.ts", 'const b = import("../kube/b.ts");', "src/agent imports ../kube/b.ts"],
    ["src/agent/a.ts", 'import { Agent } from "undici";', "src/agent imports undici"],
    ["src/kube/a.ts", 'import { b } from "../api/b.ts";', "src/kube imports ../api/b.ts"],
    ["src/kube/a.ts", 'import { type b } from "../api/b.ts";', "src/kube imports ../api/b.ts"],
    ["src/runtime/a.ts", 'import type { b } from "../model/b.ts";', "src/runtime imports ../model/b.ts"],
    ["src/reconcile.ts", 'import { b } from "./plan/b.ts";', "reconcile.ts imports ./plan/b.ts"],
    ["src/main.ts", 'import { b } from "../hack/b.ts";', "main.ts imports ../hack/b.ts"],
    ["src/main.ts", 'import { b } from "../test/b.ts";', "main.ts imports ../test/b.ts"],
  ];
  it.each(refused)("refuse that %s says %s", (file, line, start) => {
    const [message, ...others] = messages(file, "", line);
    expect(others).toEqual([]);
    expect(message).toMatch(new RegExp(`^2: ${start.replaceAll(".", "\\.")}, expected `));
  });

  it("want a rule for every folder", () => {
    expect(messages("src/news/a.ts", "f();")).toEqual([
      "1: src/news has no import rule, expected one in hack/tidy/imports.ts",
    ]);
  });

  it("do not take words in strings and comments for imports", () => {
    expect(
      messages(
        "src/plan/a.ts",
        '// import { b } from "undici";',
        "const a = 'import { b } from \"undici\";';",
      ),
    ).toEqual([]);
  });
});

describe("banned calls", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["src/plan/a.ts", "const a = Date.parse(b);", "Date. is used"],
    ["src/plan/a.ts", "async function f() {}", "async is used"],
    ["src/plan/a.ts", "console.log(1);", "console. is used"],
    ["src/evnode/a.ts", "const a = process.argv;", "process. is used"],
    ["src/kube/a.ts", "const a = Date.now();", "Date.now is used"],
    ["src/kube/a.ts", "const a = new Date();", "newDate() is used"],
    ["src/agent/a.ts", "setTimeout(f, 1);", "setTimeout( is used"],
    ["src/agent/a.ts", "const a = process.env;", "process.env is used"],
    ["src/agent/a.ts", "const a = Math.random();", "Math.random is used"],
    ["src/agent/a.ts", "function f(a: any) {}", ":any is used"],
    ["src/agent/a.ts", "const a = b as any;", "asany is used"],
  ];
  it.each(cases)("are found in %s: %s", (file, line, start) => {
    expect(messages(file, line)).toEqual([expect.stringContaining(start)]);
  });

  const allowed: readonly (readonly [string, string])[] = [
    ["src/runtime/clock.ts", "const a = Date.now();"],
    ["src/main.ts", "const a = process.env;"],
    ["src/agent/a.ts", "const a = new Date(ms);"],
    ["src/plan/a.ts", "const a = new Date(ms).toISOString();"],
    ["src/agent/a.ts", "async function f() {}"],
    ["src/evnode/a.ts", "async function f() {}"],
    ["src/plan/a.ts", "const a = { fetch: 1, async: 2, Date: 3 };"],
    ["src/plan/a.ts", 'const a = "Date.now() and console.log"; // setTimeout(f)'],
    ["src/kube/a.ts", "clock.setTimeout(f, 1);"],
    ["hack/a.ts", "setTimeout(f, 1); console.log(Date.now());"],
  ];
  it.each(allowed)("are no concern in %s: %s", (file, line) => {
    expect(messages(file, line)).toEqual([]);
  });
});

describe("text", () => {
  // Put together here, so that this file has none of what it forbids.
  const openEnd = ["TO", "DO"].join("");
  const proxySetting = ["GO", "PROXY"].join("");
  const at = (...parts: string[]) => ["", ...parts].join("/");
  const cases: readonly { name: string; file: string; line: string; message: string }[] = [
    {
      name: "a checkout of one machine",
      file: "README.md",
      line: `cd ${at("work", "main")}`,
      message: "a path of one machine",
    },
    {
      name: "a home directory",
      file: "hack/up.sh",
      line: `cat ${at("root", ".ssh")}`,
      message: "a home directory of one machine",
    },
    {
      name: "a named user's home",
      file: "hack/up.sh",
      line: `cat ${at("home", "jane", "x")}`,
      message: "a home directory of one machine",
    },
    {
      name: "a fixed temporary file",
      file: "hack/a.ts",
      line: `read("${at("tmp", "x.log")}");`,
      message: "a file in a fixed temporary directory",
    },
    {
      name: "a module proxy",
      file: "hack/up.sh",
      line: `export ${proxySetting}=direct`,
      message: "the address of a package mirror",
    },
    {
      name: "a registry in .npmrc",
      file: ".npmrc",
      line: "registry=http://mirror",
      message: "the address of a package mirror",
    },
    {
      name: "an open end",
      file: "hack/up.sh",
      line: `# ${openEnd}: later`,
      message: "an open end without an issue",
    },
    {
      name: "white space at the end",
      file: "hack/up.sh",
      line: "true ",
      message: "white space at the end of the line",
    },
    {
      name: "a long line",
      file: "hack/a.ts",
      line: `f(${"a, ".repeat(40)});`,
      message: "a line of 124 characters",
    },
  ];
  it.each(cases)("refuses $name", ({ file, line, message }) => {
    const found = messages(file, line);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`1: ${message}, expected `);
  });

  const allowed: readonly { name: string; file: string; line: string }[] = [
    { name: "a relative folder of the same name", file: "README.md", line: `see src${at("work", "x")}` },
    { name: "an empty directory of a container", file: "helm/a.yaml", line: "mountPath: /tmp" },
    { name: "the home directory in passwd", file: "hack/a.ts", line: "root:x:0:0:root:/root:/sbin/nologin" },
    { name: "an open end with its issue", file: "hack/up.sh", line: `# ${openEnd}(#12): later` },
    { name: "a long message", file: "hack/a.ts", line: `f("${"a ".repeat(60)}");` },
    { name: "a long row of a table in a comment", file: "src/plan/a.ts", line: ` * | ${"a ".repeat(60)}|` },
    { name: "long prose", file: "README.md", line: "a ".repeat(200).trim() },
  ];
  it.each(allowed)("accepts $name", ({ file, line }) => {
    expect(messages(file, line)).toEqual([]);
  });

  it.each([
    "src/kube/utils.ts",
    "src/kube/k8s-utils.ts",
    "test/helpers/a.ts",
    "src/api/types.ts",
    "hack/index.ts",
  ])("refuses the name %s", (file) => {
    expect(messages(file, "f();")).toEqual([
      expect.stringMatching(/^1: a name like ".+", expected the name/),
    ]);
  });

  it("reports every problem of a file", () => {
    const found = messages("src/plan/utils.ts", 'import "undici";', "const a = Date.now();");
    expect(found.map((message) => message.replace(/, expected.*/, ""))).toEqual([
      '1: a name like "utils"',
      "1: src/plan imports undici",
      "2: Date. is used",
      "2: Date.now is used",
    ]);
  });
});
