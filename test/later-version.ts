import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";

/**
 * A version of the operator that might come after this one, made from its sources: other defaults, a new field with a
 * default, and both rendered into pods and configs. As ARCHITECTURE.md wants it, they are those of a new version of the
 * defaults.
 */

interface Edit {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

export const later = { version: "9.9.9", gracePeriod: 61, gcPercent: 177, logLevel: "warn" } as const;

const edits: readonly Edit[] = [
  {
    file: "src/api/defaults.ts",
    before: "new Map([[1, defaultsV1]])",
    after: `new Map([[1, defaultsV1], [2, {
      ...defaultsV1,
      log: { level: "${later.logLevel}", format: "json" },
      pod: { terminationGracePeriodSeconds: ${later.gracePeriod} },
      gcPercent: ${later.gcPercent},
    }]])`,
  },
  {
    file: "src/api/defaults.ts",
    before: "CURRENT_DEFAULTS_VERSION = 1",
    after: "CURRENT_DEFAULTS_VERSION = 2",
  },
  {
    file: "src/api/defaults.ts",
    before: "pruning: spec.pruning,",
    after: `pruning: spec.pruning,
      ...(spec.gcPercent === undefined && defaults.gcPercent === undefined
        ? {}
        : { gcPercent: spec.gcPercent ?? defaults.gcPercent }),`,
  },
  {
    file: "src/api/schema/spec.ts",
    before: "pruning: pruning.exactOptional(),",
    after: "pruning: pruning.exactOptional(), gcPercent: z.int().exactOptional(),",
  },
  {
    file: "src/resources/pod-template.ts",
    before: 'env: [{ name: "LIBP2P_TCP_REUSEPORT", value: "false" },',
    after: `env: [
      { name: "LIBP2P_TCP_REUSEPORT", value: "false" },
      ...(intent.spec.gcPercent === undefined ? [] : [{ name: "GOGC", value: String(intent.spec.gcPercent) }]),`,
  },
];

/** For esbuild: makes the sources of this version those of the later one. */
export const laterVersion: Plugin = {
  name: "later-version",
  setup(build) {
    for (const file of new Set(edits.map((edit) => edit.file))) {
      const filter = new RegExp(`/${file.replaceAll(".", "\\.")}$`);
      build.onLoad({ filter }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        const own = edits.filter((edit) => edit.file === file);
        return { contents: own.reduce(replaceOnce, text), loader: "ts" };
      });
    }
  },
};

function replaceOnce(text: string, { file, before, after }: Edit): string {
  const parts = text.split(before);
  if (parts.length !== 2) throw new Error(`"${before}" is ${parts.length - 1} times in ${file}, not once`);
  return parts.join(after);
}
