import { createHash } from "node:crypto";

const versionAndReserved = Buffer.alloc(19);
const idLength = 10;

/** The name on the DA layer that ev-node derives from `da.namespace`, as GetNamespace shows it. */
export function namespaceHex(namespace: string): string {
  const id = createHash("sha256").update(namespace, "utf8").digest().subarray(0, idLength);
  return `0x${Buffer.concat([versionAndReserved, id]).toString("hex")}`;
}
