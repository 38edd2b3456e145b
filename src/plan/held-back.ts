import type { MemberPod } from "../model/member.ts";

/** As kubelet words it, such as `back-off 20s restarting failed container=…`. */
const LONG_BACK_OFF = /^back-off (?!10s )/;

/** What Kubernetes says while it waits before it starts ev-node again; undefined when it does not wait. */
const backOffOf = ({ evnode }: MemberPod): string | undefined =>
  evnode.kind === "waiting" && evnode.reason === "CrashLoopBackOff" ? evnode.message : undefined;

export const isHeldBack = (pod: MemberPod): boolean => backOffOf(pod) !== undefined;

/** For longer than a new pod takes. Below that one is no faster, and has another address. */
export const isHeldLong = (pod: MemberPod): boolean => LONG_BACK_OFF.test(backOffOf(pod) ?? "");
