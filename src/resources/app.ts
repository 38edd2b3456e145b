import type { CompleteSpec } from "../api/complete-spec.ts";
import { TESTAPP_PORT } from "../api/fixed.ts";

export interface AppPort {
  readonly name: string;
  readonly port: number;
}

/** Ports that the app itself opens for its users. */
export function appPorts({ app }: CompleteSpec): readonly AppPort[] {
  return app.kind === "testapp" ? [{ name: "kv", port: TESTAPP_PORT }] : app.ports;
}

/** What starts ev-node of this kind of app; the image's own entry point may do more than start it. */
export function appCommand({ app }: CompleteSpec): readonly string[] {
  return app.kind === "testapp" ? ["testapp"] : app.command;
}

/** Arguments that belong to the kind of app, before the user's own. */
export function appArgs({ app }: CompleteSpec): readonly string[] {
  return app.kind === "testapp" ? [`--kv-endpoint=0.0.0.0:${TESTAPP_PORT}`] : [];
}
