import { join } from "node:path";
import { bundle } from "../../../hack/bundle.ts";
import { provideOperatorImage } from "../../../hack/demo/install.ts";
import { later, laterVersion } from "../../later-version.ts";
import { editFile, withFolder } from "./release.ts";

/** Builds and loads the image of the later version, and answers its tag. */
export async function provideLaterImage(): Promise<string> {
  return withFolder(async (folder) => provideOperatorImage(await bundle(folder, [laterVersion])));
}

/** Makes the chart of this version the chart of that one. */
export async function makeLater(folder: string): Promise<void> {
  const chart = join(folder, "Chart.yaml");
  await editFile(chart, /^version: .*$/m, `version: ${later.version}`);
  const field =
    "gcPercent:\n                  description: How much the heap may grow.\n                  type: integer";
  await editFile(
    join(folder, "templates/crd.yaml"),
    /^ {16}(?=pruning:$)/m,
    `                ${field}\n                `,
  );
}
