import type { Amounts, Resources } from "../api/complete-spec.ts";

/** As a container has them. The server turns amounts that are numbers into text. */
export function amountsOf({ requests, limits }: Resources) {
  return { requests: asText(requests), limits: asText(limits) };
}

function asText(amounts: Amounts): Record<string, string> {
  return Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount)]));
}
