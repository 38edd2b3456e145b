import * as z from "zod";
import { readJson } from "./json.ts";

const schema = z.object({
  /** The revision of the StatefulSet that the pod is brought to. */
  revision: z.string(),
  /** The containers that were there before, if they are to be others: the update is seen when others run. */
  container: z.string().optional(),
  agent: z.string().optional(),
  /** When it began, as an RFC 3339 time. */
  at: z.string(),
  /** The pod was given all that it lacked: what is missing is that it is seen to run. */
  given: z.literal(true).optional(),
  /** The config that ev-node was started with, while the pod names one already that it was not restarted for. */
  config: z.string().optional(),
  /** Another one was begun before it and not seen to its end, so that nobody knows what the pod has. */
  over: z.literal(true).optional(),
  /** It was asked for by its owner, and not by a change of the spec. */
  onDemand: z.literal(true).optional(),
});

/** An update in place that the operator began on a pod, and has not seen the end of. Stands on the pod itself. */
export type PodUpdate = Readonly<z.infer<typeof schema>>;

/** Undefined when there is none, or when somebody wrote something else there. */
export const readPodUpdate = (text: string | undefined): PodUpdate | undefined => readJson(schema, text);
