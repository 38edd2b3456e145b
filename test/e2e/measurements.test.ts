import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { command } from "../../hack/local-cluster/command.ts";
import { campaigns } from "../../hack/measure/campaigns.ts";
import { environment } from "./harness/environment.ts";

const main = join(import.meta.dirname, "../../hack/measure/main.ts");

/** Only on the local cluster: the campaigns read its audit log and kill processes on its node. */
describe.skipIf(environment().machine === undefined)("the short form of every measurement", () => {
  it.each(campaigns.map(({ name }) => name))("%s runs to its end and says what it found", async (name) => {
    const report = await command(process.execPath, [main, name, "--short"], {
      timeoutMs: 560_000,
      // Empty, so that the campaign takes the local cluster with its own tools.
      env: { KUBECONFIG: "" },
    });
    expect(report).toContain(name);
  });
});
