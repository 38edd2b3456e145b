import * as z from "zod";

const schema = z.object({
  /** The revision of the StatefulSet that the pod is brought to. */
  revision: z.string(),
  /** The container of ev-node that was there before: the update is seen when another one runs. */
  container: z.string(),
  /** When it began, as an RFC 3339 time. */
  at: z.string(),
  /** It was asked for by its owner, and not by a change of the spec. */
  onDemand: z.literal(true).optional(),
});

/** An update in place that the operator began on a pod, and has not seen the end of. Stands on the pod itself. */
export type PodUpdate = Readonly<z.infer<typeof schema>>;

/** Undefined when there is none, or when somebody wrote something else there. */
export function readPodUpdate(text: string | undefined): PodUpdate | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
