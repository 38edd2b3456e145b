import { createServer, type Server } from "node:http";

/** Empty when all is well; otherwise what is wrong, one sentence each. */
export type Check = () => readonly string[];

/** Answers kubelet's probes: `/livez` and `/readyz`, each with the problems that its check found. */
export function serveHealth(
  port: number,
  checks: { readonly live: Check; readonly ready: Check },
): Promise<Server> {
  const server = createServer((request, response) => {
    const check =
      request.url === "/livez" ? checks.live : request.url === "/readyz" ? checks.ready : undefined;
    const problems = check?.() ?? ["no such page: try /livez or /readyz"];
    const status = check === undefined ? 404 : problems.length === 0 ? 200 : 503;
    response.writeHead(status, { "content-type": "text/plain" }).end(`${problems.join("\n") || "ok"}\n`);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => resolve(server));
  });
}
