import type { Pod } from "../../src/model/objects.ts";
import { askLeads } from "./node-rpc.ts";

/** What members say of themselves at this moment; one that does not answer is neither. */
export async function rolesOf(pods: readonly Pod[]) {
  const told = await Promise.all(
    pods.map(async (pod) => ({ pod, leads: await askLeads(pod.status?.podIP ?? "") })),
  );
  return {
    leader: told.find(({ leads }) => leads === true)?.pod,
    followers: told.filter(({ leads }) => leads === false).map(({ pod }) => pod),
  };
}
