import { posix } from "node:path";
import type { Problem } from "./problem.ts";
import type { Token } from "./tokens.ts";

/** What one folder of `src` may import. A name without a dot is a folder, another one is a file. */
interface ImportRule {
  readonly own: readonly string[];
  /** Only with `import type`: erased before anything runs. */
  readonly ownTypes?: readonly string[];
  /** npm packages and Node modules, apart from the Node modules that only compute. */
  readonly packages: readonly string[];
  readonly packageTypes?: readonly string[];
  /** `node:*`, that is input and output. */
  readonly node: boolean;
}

/** Node modules that do no input or output; pure folders may use them. */
const pureNodeModules = ["node:crypto", "node:util", "node:assert", "node:buffer"];
/** And of these, what only computes. */
const pureMembers: Readonly<Record<string, readonly string[]>> = {
  "node:net": ["isIP", "isIPv4", "isIPv6"],
  "node:path": ["posix"],
};
const wireTypes = ["kubernetes-models"];
/** The Kubernetes port with its errors, and time and chance as ports. */
const ports = [
  "kube/api.ts",
  "kube/errors.ts",
  "runtime/clock.ts",
  "runtime/random.ts",
  "runtime/backoff.ts",
];

export const importRules: Readonly<Record<string, ImportRule>> = {
  api: { own: ["model"], packages: ["zod"], node: false },
  model: { own: ["api"], packages: ["zod"], packageTypes: wireTypes, node: false },
  evnode: { own: [], packages: ["zod", "yaml"], node: false },
  resources: { own: ["api", "model", "evnode"], packages: ["yaml"], packageTypes: wireTypes, node: false },
  plan: { own: ["api", "model", "resources", "evnode"], packages: [], packageTypes: wireTypes, node: false },
  agent: { own: ["evnode", "model", "runtime", "telemetry"], packages: ["zod", "pino"], node: true },
  cli: { own: ["api", "model", "evnode", "kube", "runtime"], packages: ["zod", "yaml"], node: true },
  observe: { own: ["api", "model", "plan", "evnode", ...ports], packages: ["zod"], node: true },
  act: {
    own: ["api", "model", "plan", "evnode", ...ports],
    // The caches that observe reads are told at once what was written.
    ownTypes: ["observe"],
    packages: [],
    node: false,
  },
  kube: {
    own: ["model", "runtime"],
    ownTypes: ["api"],
    packages: ["@kubernetes/client-node", "yaml"],
    node: true,
  },
  runtime: { own: [], packages: [], node: true },
  telemetry: {
    own: ["model", "runtime", "plan/quorum-margin.ts"],
    ownTypes: ["api", "act", "kube", "plan"],
    packages: ["pino", "prom-client"],
    node: true,
  },
};

/** Files directly in `src` compose the program and may import everything, but for these. */
const rootRules: Readonly<Record<string, ImportRule>> = {
  "config.ts": { own: ["model", "api"], packages: ["zod"], node: false },
  "reconcile.ts": { own: ["kube/errors.ts"], ownTypes: Object.keys(importRules), packages: [], node: false },
};

interface Import {
  readonly line: number;
  readonly target: string;
  readonly typeOnly: boolean;
  /** Of `import { a, b as c }`: every word in the braces. */
  readonly names: readonly string[];
}

export function importProblems(file: string, tokens: readonly Token[]): readonly Problem[] {
  const inside = file.slice("src/".length);
  const folder = inside.includes("/") ? (inside.split("/")[0] ?? "") : "";
  const rule = folder === "" ? rootRules[inside] : importRules[folder];
  if (folder !== "" && rule === undefined) {
    return [
      { file, line: 1, message: `src/${folder} has no import rule, expected one in hack/tidy/imports.ts` },
    ];
  }
  return importsOf(tokens).flatMap((found) => {
    const allowed = found.target.startsWith(".")
      ? ownAllowed(folder, inside, rule, found)
      : rule === undefined || packageAllowed(rule, found);
    if (allowed) return [];
    const what = `${folder === "" ? inside : `src/${folder}`} imports ${found.target}`;
    return [{ file, line: found.line, message: `${what}, expected ${describe(rule)}` }];
  });
}

function ownAllowed(folder: string, inside: string, rule: ImportRule | undefined, found: Import): boolean {
  const target = posix.join(posix.dirname(inside), found.target);
  if (target.startsWith("..")) return false;
  if (rule === undefined || (folder !== "" && target.startsWith(`${folder}/`))) return true;
  const matches = (name: string) => target === name || target.startsWith(`${name}/`);
  return rule.own.some(matches) || (found.typeOnly && (rule.ownTypes ?? []).some(matches));
}

function packageAllowed(rule: ImportRule, found: Import): boolean {
  const matches = (name: string) => found.target === name || found.target.startsWith(`${name}/`);
  if (found.target.startsWith("node:"))
    return rule.node || pureNodeModules.some(matches) || onlyPureMembers(found);
  return rule.packages.some(matches) || (found.typeOnly && (rule.packageTypes ?? []).some(matches));
}

function onlyPureMembers({ target, names }: Import): boolean {
  const pure = pureMembers[target] ?? [];
  return names.length > 0 && names.every((name) => pure.includes(name));
}

function describe(rule: ImportRule | undefined): string {
  if (rule === undefined) return "nothing from outside src";
  const types = [...(rule.ownTypes ?? []), ...(rule.packageTypes ?? [])].map((name) => `types of ${name}`);
  const node = rule.node ? "node:*" : pureNodeModules.join(", ");
  return `only ${[...rule.own, ...rule.packages, ...types, node].join(", ")}`;
}

/** `import … from`, `export … from`, `import "…"` and `import("…")`. */
function importsOf(tokens: readonly Token[]): readonly Import[] {
  return tokens.flatMap((token, index) => {
    if (token.kind !== "string") return [];
    const before = tokens[index - 1];
    const bare = before?.kind === "word" && before.text === "import";
    const dynamic = before?.text === "(" && tokens[index - 2]?.text === "import";
    const from = before?.kind === "word" && before.text === "from";
    if (!bare && !dynamic && !from) return [];
    const clause = from ? clauseBefore(tokens, index - 1) : [];
    const typeOnly = clause[0]?.text === "type" && clause.length > 1;
    const names =
      clause[0]?.text === "{" ? clause.filter(({ kind }) => kind === "word").map(({ text }) => text) : [];
    return [{ line: token.line, target: token.text, typeOnly, names }];
  });
}

/** The tokens between `import` or `export` and `from`. */
function clauseBefore(tokens: readonly Token[], from: number): readonly Token[] {
  let start = from;
  while (start > 0 && !["import", "export"].includes(tokens[start - 1]?.text ?? "")) start -= 1;
  return tokens.slice(start, from);
}
