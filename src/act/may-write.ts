import { KubeError } from "../kube/errors.ts";

/** Asked right before every write, also after the reads and computations that come before one. */
export function ensureMayWrite(mayWrite: () => boolean): void {
  if (mayWrite()) return;
  throw new KubeError(
    "Unavailable",
    "nothing is written any more: another operator may lead, or the time of this run is over",
  );
}
