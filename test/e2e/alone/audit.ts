import { open, stat } from "node:fs/promises";
import { operatorUser } from "../harness/operator-names.ts";

/** One request as the API server noted it; nothing of its body. */
export interface AuditedRequest {
  readonly verb: string;
  readonly user: {
    readonly username: string;
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly requestURI: string;
  readonly requestReceivedTimestamp: string;
  readonly objectRef?: {
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number };
}

const writing = new Set(["create", "update", "patch", "delete", "deletecollection"]);

/** What operators have asked of the API server since the tape was started, from the server's audit log. */
export class AuditTape {
  readonly #file: string;
  readonly #from: number;

  private constructor(file: string, from: number) {
    this.#file = file;
    this.#from = from;
  }

  static async start(file: string): Promise<AuditTape> {
    return new AuditTape(file, (await stat(file)).size);
  }

  async writes(): Promise<readonly AuditedRequest[]> {
    return (await this.requestsOf(operatorUser)).filter(({ verb }) => writing.has(verb));
  }

  async requestsOf(username: string): Promise<readonly AuditedRequest[]> {
    return (await this.#read()).filter(({ user }) => user.username === username);
  }

  /** Which pods of the operator wrote, one after the other: a pod that writes after another one is named again. */
  async writers(): Promise<readonly string[]> {
    const inOrder = (await this.writes()).toSorted((a, b) =>
      a.requestReceivedTimestamp < b.requestReceivedTimestamp ? -1 : 1,
    );
    const pods = inOrder.map(({ user }) => user.extra?.["authentication.kubernetes.io/pod-name"]?.[0] ?? "?");
    return pods.filter((pod, index) => pod !== pods[index - 1]);
  }

  async #read(): Promise<readonly AuditedRequest[]> {
    const file = await open(this.#file, "r");
    try {
      const { size } = await file.stat();
      const { buffer } = await file.read(Buffer.alloc(size - this.#from), 0, size - this.#from, this.#from);
      const text = buffer.toString("utf8");
      // The last line may still be under way, and the first may have begun before the tape.
      const lines = text.slice(0, text.lastIndexOf("\n")).split("\n");
      return lines.flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as AuditedRequest] : []));
    } finally {
      await file.close();
    }
  }
}

/** Such as `patch statefulsets/status demo/seq`. */
export function describeRequest({ verb, objectRef, requestURI }: AuditedRequest): string {
  if (!objectRef) return `${verb} ${requestURI}`;
  const { resource, subresource, namespace, name } = objectRef;
  return `${verb} ${resource}${subresource ? `/${subresource}` : ""} ${[namespace, name].filter(Boolean).join("/")}`;
}
