import { kinds } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { badRequest } from "./refused.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Fields of type MicroTime, which have exactly six digits after the point or are refused. */
const microTimes: Readonly<Record<string, readonly (readonly string[])[]>> = {
  [kinds.lease.kind]: [
    ["spec", "acquireTime"],
    ["spec", "renewTime"],
  ],
  [kinds.event.kind]: [["eventTime"], ["series", "lastObservedTime"]],
};
const microTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/;

/** Refuses an object that a real server cannot read; only what differs from plain JSON is known here. */
export function requireReadable(object: KubeObject): void {
  const { kind, apiVersion } = object;
  for (const path of microTimes[kind] ?? []) {
    const value = path.reduce<unknown>((within, field) => (within as Fields | undefined)?.[field], object);
    if (typeof value !== "string" || microTime.test(value)) continue;
    const why = `parsing time "${value}" as "2006-01-02T15:04:05.000000Z07:00"`;
    throw badRequest(`${kind} in version "${apiVersion}" cannot be handled as a ${kind}: ${why}`);
  }
}
