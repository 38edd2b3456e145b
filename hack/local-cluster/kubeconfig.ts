import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { certificateFiles, tokenOf, type User } from "./certificates.ts";
import { endpoints, paths } from "./layout.ts";

/** The admin's kubeconfig is the one that people and tests use; the others belong to one process each. */
export function kubeconfigOf(user: User): string {
  return user === "admin" ? paths.kubeconfig : join(paths.config, `${user}.kubeconfig`);
}

export async function renderKubeconfig(user: User): Promise<string> {
  const authority = await readFile(certificateFiles.ca);
  const token = await tokenOf(user);
  const name = "evnode-local";
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name,
        cluster: { server: endpoints.apiServer, "certificate-authority-data": authority.toString("base64") },
      },
    ],
    users: [{ name: user, user: { token } }],
    contexts: [{ name, context: { cluster: name, user } }],
    "current-context": name,
  });
}
