/** `npm run image -- [--output FILE] [--tag TAG]`: the operator's image as an OCI archive. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { operatorImageName, writeOperatorImage } from "./operator-image.ts";

const { values } = parseArgs({
  options: {
    output: { type: "string", default: join(import.meta.dirname, "../dist/evnode-operator.tar") },
    tag: { type: "string" },
  },
});
if (values.tag !== undefined && !/^[\w][\w.-]{0,127}$/.test(values.tag)) {
  throw new Error(`--tag ${values.tag} is no image tag, expected letters, digits, "_", "." and "-"`);
}

const image = await writeOperatorImage(values.output, operatorImageName(values.tag));
console.log(`${image.file}  ${(statSync(image.file).size / (1 << 20)).toFixed(0)} MiB`);
console.log(`${image.name}  ${image.digest}`);
console.log(`import it with: ctr --namespace k8s.io images import ${image.file}`);
