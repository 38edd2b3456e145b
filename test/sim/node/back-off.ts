/** The first start after an exit comes at once; kubelet's own steps, which go on to five minutes. */
const STEPS_MS = [0, 10_000, 20_000, 40_000] as const;

/** How long kubelet waits after so many exits before. */
export const backOffMs = (exits: number): number =>
  STEPS_MS[Math.min(exits, STEPS_MS.length - 1)] ?? STEPS_MS[0];
