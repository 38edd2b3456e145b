import { open, stat } from "node:fs/promises";
import { z } from "zod";

/** One finished request, as the API server's audit log at level Metadata has it. */
export interface AuditedRequest {
  readonly user: string;
  readonly verb: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly code: number;
  readonly receivedMs: number;
  readonly finishedMs: number;
  /** A request with `dryRun` changes nothing. */
  readonly isDryRun: boolean;
}

const entrySchema = z.object({
  stage: z.string(),
  verb: z.string(),
  requestURI: z.string().default(""),
  user: z.object({ username: z.string().default("") }),
  objectRef: z
    .object({
      resource: z.string().default(""),
      subresource: z.string().optional(),
      namespace: z.string().optional(),
      name: z.string().optional(),
    })
    .prefault({}),
  responseStatus: z.object({ code: z.number().default(0) }).prefault({}),
  requestReceivedTimestamp: z.string(),
  stageTimestamp: z.string(),
});

const CHUNK_BYTES = 4 << 20;

/** Undefined for what is no finished request. */
export function parseAuditLine(line: string): AuditedRequest | undefined {
  if (line === "") return undefined;
  const entry = entrySchema.parse(JSON.parse(line));
  if (entry.stage !== "ResponseComplete") return undefined;
  const { resource, subresource, namespace, name } = entry.objectRef;
  return {
    user: entry.user.username,
    verb: entry.verb,
    resource,
    subresource,
    namespace,
    name,
    code: entry.responseStatus.code,
    receivedMs: Date.parse(entry.requestReceivedTimestamp),
    finishedMs: Date.parse(entry.stageTimestamp),
    isDryRun: /[?&]dryRun=/.test(entry.requestURI),
  };
}

/** Reads what the API server appends to its audit log from now on. */
export class AuditReader {
  readonly #file: string;
  #offset: number;
  #rest = Buffer.alloc(0);

  private constructor(file: string, offset: number) {
    this.#file = file;
    this.#offset = offset;
  }

  static async fromNow(file: string): Promise<AuditReader> {
    return new AuditReader(file, (await stat(file)).size);
  }

  /** Every request that was finished since the last call and that `wanted` keeps. */
  async next(wanted: (request: AuditedRequest) => boolean): Promise<readonly AuditedRequest[]> {
    const found: AuditedRequest[] = [];
    const handle = await open(this.#file, "r");
    try {
      const { size } = await handle.stat();
      if (size < this.#offset) throw new Error("the audit log was rotated while it was read");
      while (this.#offset < size) {
        const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size - this.#offset));
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, this.#offset);
        if (bytesRead === 0) break;
        this.#offset += bytesRead;
        for (const line of this.#lines(chunk.subarray(0, bytesRead))) {
          const request = parseAuditLine(line);
          if (request && wanted(request)) found.push(request);
        }
      }
    } finally {
      await handle.close();
    }
    return found;
  }

  /** Complete lines; a line that is cut off is kept for the next chunk. */
  #lines(chunk: Buffer): readonly string[] {
    const content = Buffer.concat([this.#rest, chunk]);
    const end = content.lastIndexOf("\n") + 1;
    this.#rest = content.subarray(end);
    return content.subarray(0, end).toString("utf8").split("\n");
  }
}

const writingVerbs = new Set(["create", "update", "patch", "delete", "deletecollection"]);

/** Of clusters, and neither of the operator's own Lease nor a watch, which goes on. */
export const concernsClusters = ({ resource, verb }: AuditedRequest) =>
  resource !== "leases" && verb !== "watch";

/** A request that the server carried out, or would have: refused ones cost it the same work. */
export function isWrite({ verb, isDryRun, resource }: AuditedRequest): boolean {
  // Reviews of tokens and of rights are asked with "create", and store nothing.
  return writingVerbs.has(verb) && !isDryRun && !resource.endsWith("reviews");
}

/** What was asked, for tables: `update evnodeclusters/status`. */
export function describeRequest({ verb, resource, subresource }: AuditedRequest): string {
  return `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}`;
}

/** How often each thing was asked, the most frequent first. */
export function countBy<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return [...counts].sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1));
}

/** The same for each thing that was asked, by its name. */
export const requestCounts = (requests: readonly AuditedRequest[]) =>
  Object.fromEntries(countBy(requests, describeRequest));
