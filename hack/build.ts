/** `npm run build`: the program and the kubectl plugin as they are shipped, in `dist`. */
import { statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { bundle } from "./bundle.ts";
import { bundlePlugin } from "./bundle-plugin.ts";

const { folder, files, loadedBytes } = await bundle();
const plugin = basename((await bundlePlugin(folder)).file);
for (const file of [...files, plugin]) {
  console.log(
    `${kibibytes(statSync(join(folder, file)).size)}  ${join(relative(process.cwd(), folder), file)}`,
  );
}
console.log(`${kibibytes(loadedBytes.operator)}  loaded by the operator, at most`);
console.log(`${kibibytes(loadedBytes.agent)}  loaded by an agent`);

function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(0).padStart(6)} KiB`;
}
