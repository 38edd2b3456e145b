import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bundle, bundle, packageVersion } from "../../hack/bundle.ts";

describe("the bundle", () => {
  const folder = mkdtempSync(join(tmpdir(), "bundle-"));
  let built: Bundle;

  beforeAll(async () => {
    built = await bundle(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("runs without the sources and knows its version", () => {
    const said = execFileSync(process.execPath, [join(folder, "main.js"), "version"], {
      cwd: tmpdir(),
      encoding: "utf8",
    });
    expect(said.trim()).toBe(packageVersion());
  });

  it("refuses a command that it does not have", () => {
    const { status, stderr } = spawnSync(process.execPath, [join(folder, "main.js"), "fly"], {
      encoding: "utf8",
    });
    expect(status).toBe(2);
    expect(stderr).toContain('Unknown command "fly"');
  });

  it("gives an agent less to load than the operator", () => {
    expect(built.loadedBytes.agent).toBeGreaterThan(10_000);
    expect(built.loadedBytes.agent).toBeLessThan(built.loadedBytes.operator / 2);
  });

  it("names the licence of every package in it", () => {
    const notices = readFileSync(join(folder, "THIRD-PARTY-NOTICES.txt"), "utf8");
    for (const name of ["@kubernetes/client-node", "pino", "undici", "zod"])
      expect(`\n${notices}`).toContain(`\n${name} `);
    expect(built.packages.map(({ name }) => name)).toContain("pino");
    // Read while bundling, and nothing of it is written.
    expect(notices).not.toContain("\njose ");
  });

  it("is the same, byte for byte, when it is built again", async () => {
    const contents = () =>
      new Map(built.files.map((file) => [file, readFileSync(join(folder, file), "utf8")]));
    const before = contents();
    const again = await bundle(folder);
    expect(again.files).toEqual(built.files);
    expect(contents()).toEqual(before);
  });
});
