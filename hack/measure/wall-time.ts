/** Milliseconds since the Unix epoch, finer than a millisecond: for comparison with logs of other processes. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
