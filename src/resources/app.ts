import type { CompleteSpec } from "../api/complete-spec.ts";
import { executionPorts, TESTAPP_PORT } from "../api/fixed.ts";
import { paths } from "./paths.ts";

export interface AppPort {
  readonly name: string;
  readonly port: number;
}

/** Ports that the app itself, or its execution client, opens for its users. */
export function appPorts({ app }: CompleteSpec): readonly AppPort[] {
  switch (app.kind) {
    case "testapp":
      return [{ name: "kv", port: TESTAPP_PORT }];
    case "evm":
      return [
        { name: "eth", port: executionPorts.eth },
        { name: "eth-ws", port: executionPorts.ws },
      ];
    case "custom":
      return app.ports;
  }
}

/** What starts ev-node of this kind of app; the image's own entry point may do more than start it. */
export function appCommand({ app }: CompleteSpec): readonly string[] {
  return app.kind === "custom" ? app.command : [app.kind];
}

/**
 * Where ev-node of this kind of app is started. The image of evm names a folder that root alone may enter; `/` is
 * everybody's. Of the others it is the image's business.
 */
export function appFolder({ app }: CompleteSpec): { workingDir?: string } {
  return app.kind === "evm" ? { workingDir: "/" } : {};
}

/** Arguments that belong to the kind of app, before the user's own. */
export function appArgs({ app, execution }: CompleteSpec): readonly string[] {
  if (app.kind === "testapp") return [`--kv-endpoint=0.0.0.0:${TESTAPP_PORT}`];
  if (execution === undefined) return [];
  return [
    `--evm.eth-url=http://127.0.0.1:${executionPorts.eth}`,
    `--evm.engine-url=http://127.0.0.1:${executionPorts.engine}`,
    `--evm.jwt-secret-file=${paths.jwt}`,
    `--evm.genesis-hash=${execution.genesisHash}`,
    `--evm.fee-recipient=${execution.feeRecipient}`,
  ];
}
