/** A value as it arrives: what came from it before or changes in it later is not shared, and undefined is absent. */
export function wired<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** RFC 3339 with seconds, as Kubernetes writes its time stamps. */
export function timestamp(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, "Z");
}
