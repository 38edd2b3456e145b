import { describe, expect, it } from "vitest";
import { bundledPackages, isAllowed, noticesOf, packageIn } from "../../hack/bundled-packages.ts";

const input = (bytesInOutput: number) => ({ bytesInOutput });
const output = (inputs: Readonly<Record<string, { bytesInOutput: number }>>) => ({
  bytes: 0,
  inputs,
  imports: [],
  exports: [],
});

describe("the packages of a bundle", () => {
  it("are those whose code was written, each once", () => {
    const outputs = {
      "main.js": output({
        "src/main.ts": input(10),
        "node_modules/yaml/dist/a.js": input(5),
        "node_modules/yaml/dist/b.js": input(5),
        "node_modules/jose/dist/dropped.js": input(0),
      }),
      "chunks/a.js": output({ "node_modules/@kubernetes/client-node/dist/x.js": input(1) }),
    };
    const found = bundledPackages({ inputs: {}, outputs });
    expect(found.map(({ name, licence }) => [name, licence])).toEqual([
      ["@kubernetes/client-node", "Apache-2.0"],
      ["yaml", "ISC"],
    ]);
    expect(noticesOf(found)).toMatch(
      /^@kubernetes\/client-node \d[^]*\n-{80}\n\nyaml \d\S* \(ISC\)\n\nCopyright/,
    );
  });

  it("have the versions of the lock file, and the hash of what npm installs", () => {
    const { version, integrity, dependsOn } = packageIn("node_modules/pino");
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(integrity).toMatch(/^sha512-[\w+/]{86}==$/);
    expect(dependsOn).toContain("sonic-boom");
  });

  it("are refused with a licence that nobody has allowed", () => {
    // Part of the tools that check the project, and never of a bundle.
    expect(() => packageIn("node_modules/lightningcss")).toThrow(
      /^lightningcss \S+ has the licence MPL-2\.0, expected one of 0BSD, Apache-2\.0, /,
    );
  });

  it.each([
    ["MIT", true],
    ["(MIT OR GPL-3.0-only)", true],
    ["GPL-3.0-only OR AGPL-3.0-only", false],
    ["MIT AND ISC", true],
    ["MIT AND GPL-2.0-only", false],
    ["SEE LICENSE IN LICENSE.md", false],
    ["UNLICENSED", false],
    ["", false],
  ])("licensed %j are allowed: %j", (expression, allowed) => expect(isAllowed(expression)).toBe(allowed));
});
