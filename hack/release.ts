/** `npm run release -- VERSION [--rehearse] [--output FOLDER]`: every file of a release, in dist/release. */
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { provideHelm } from "./local-cluster/helm.ts";
import { isVersion, obstacles } from "./release/readiness.ts";
import { releaseFacts, root } from "./release/release-facts.ts";
import { CHECKSUMS, type MadeRelease, makeRelease } from "./release/release-files.ts";

const usage = "npm run release -- VERSION [--rehearse] [--output FOLDER]";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    output: { type: "string", default: join(root, "dist/release") },
    rehearse: { type: "boolean", default: false },
  },
});
process.exitCode = await release(positionals, values);

async function release(
  [version, ...rest]: readonly string[],
  { output, rehearse }: { readonly output: string; readonly rehearse: boolean },
): Promise<number> {
  if (version === undefined || rest.length > 0 || !isVersion(version)) {
    console.error(`expected one version such as 0.2.0, found "${positionals.join(" ")}": ${usage}`);
    return 2;
  }
  const found = obstacles(version, await releaseFacts(version));
  for (const obstacle of found) console.error(`${rehearse ? "would be refused" : "refused"}: ${obstacle}`);
  if (found.length > 0 && !rehearse) {
    console.error(`Nothing was made. To make the files all the same, not to be published: add --rehearse`);
    return 1;
  }
  report(
    version,
    await makeRelease(version, resolve(output), process.env["HELM"] || (await provideHelm())),
    rehearse,
  );
  return 0;
}

function report(version: string, { folder, digests, image }: MadeRelease, isRehearsal: boolean): void {
  for (const [name, digest] of digests) {
    const kibibytes = (statSync(join(folder, name)).size / 1024).toFixed(0).padStart(7);
    console.log(`${digest}  ${kibibytes} KiB  ${name}`);
  }
  console.log(`the image ${image.name} has the digest ${image.digest}`);
  console.log(`all of it is in ${folder}`);
  if (isRehearsal) {
    console.log("This was a rehearsal: do not publish these files.");
    return;
  }
  console.log(
    `Nothing is signed or published. Next: git tag --sign v${version}, then as CONTRIBUTING.md says:`,
  );
  console.log(`sign ${CHECKSUMS}, push the image, publish the files`);
}
