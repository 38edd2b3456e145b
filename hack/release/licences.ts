import { type BundledPackage, noticesOf } from "../bundled-packages.ts";
import type { SystemPackage } from "../system-files.ts";

export interface Licensed {
  readonly own: string;
  readonly node: { readonly version: string; readonly licence: string };
  readonly packages: readonly BundledPackage[];
  readonly system: readonly SystemPackage[];
}

const RULE = `\n${"=".repeat(80)}\n\n`;

/** The licences of all that is passed on with a release: in the image, the plugin, and of the program itself. */
export function licenceList({ own, node, packages, system }: Licensed): string {
  const parts = [
    `evnode-operator (Apache-2.0)\n\n${own.trim()}\n`,
    `In the program and the kubectl plugin: ${packages.length} npm packages.\n\n${noticesOf(packages)}`,
    `In the image: Node.js ${node.version}, with all that is built into it.\n\n${node.licence.trim()}\n`,
    ...system.map(
      ({ name, version, copyright }) =>
        `In the image: ${name} ${version}, unchanged, of the distribution that the image was made on. ` +
        `Its source is the source package of that version there.\n\n${copyright.trim()}\n`,
    ),
  ];
  return parts.join(RULE);
}
