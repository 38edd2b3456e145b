import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withLock } from "../../../hack/local-cluster/lock.ts";
import { identityOf } from "../../../hack/local-cluster/process.ts";

describe.runIf(process.platform === "linux")("withLock", () => {
  let folder = "";
  let file = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lock-test-"));
    file = join(folder, "lock");
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it("names this process as the holder while the work runs, and nobody afterwards", async () => {
    const holder = await withLock(async () => JSON.parse(await readFile(file, "utf8")), file);
    expect(holder).toEqual(identityOf(process.pid));
    expect(existsSync(file)).toBe(false);
  });

  it("lets a second one begin when the first has ended", async () => {
    const order: string[] = [];
    const first = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const one = withLock(async () => {
      started.resolve();
      await first.promise;
      order.push("one");
    }, file);
    await started.promise;
    const two = withLock(async () => order.push("two"), file);
    first.resolve();
    await Promise.all([one, two]);
    expect(order).toEqual(["one", "two"]);
  });

  it("is released when the work fails", async () => {
    const failing = withLock(async () => {
      throw new Error("build failed");
    }, file);
    await expect(failing).rejects.toThrow("build failed");
    expect(await withLock(async () => "next", file)).toBe("next");
  });

  it("is taken over from a process that died", async () => {
    await writeFile(file, JSON.stringify({ ...identityOf(process.pid), startTicks: 1 }));
    expect(await withLock(async () => "mine", file)).toBe("mine");
  });
});
