/** `npm run build`: the program as it is shipped, in `dist`. */
import { statSync } from "node:fs";
import { join, relative } from "node:path";
import { bundle } from "./bundle.ts";

const { folder, files, loadedBytes } = await bundle();
for (const file of files) {
  console.log(
    `${kibibytes(statSync(join(folder, file)).size)}  ${join(relative(process.cwd(), folder), file)}`,
  );
}
console.log(`${kibibytes(loadedBytes.operator)}  loaded by the operator, at most`);
console.log(`${kibibytes(loadedBytes.agent)}  loaded by an agent`);

function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(0).padStart(6)} KiB`;
}
