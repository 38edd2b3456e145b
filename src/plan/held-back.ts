import type { MemberPod } from "../model/member.ts";

/** As kubelet words it, such as `back-off 20s restarting failed container=…`. */
const LONG_BACK_OFF = /^back-off (?!10s )/;

/** Kubernetes waits before it starts ev-node again. */
export const isHeldBack = ({ evnode }: MemberPod): boolean =>
  evnode.kind === "waiting" && evnode.reason === "CrashLoopBackOff";

/** For longer than a new pod takes. Below that one is no faster, and has another address. */
export const isHeldLong = ({ evnode }: MemberPod): boolean =>
  evnode.kind === "waiting" && evnode.reason === "CrashLoopBackOff" && LONG_BACK_OFF.test(evnode.message);
