import { request } from "undici";
import type { Pod } from "../../../src/model/objects.ts";
import type { Api, ApiAnswer } from "./api.ts";

export interface HttpQuestion {
  readonly path: string;
  readonly method?: "GET" | "POST";
  readonly body?: string;
}

const DEADLINE_MS = 3_000;

/** An HTTP request to a port of a pod; undefined when nobody answers: refused, timed out, closed in between. */
export type Reach = (pod: Pod, port: number, question: HttpQuestion) => Promise<ApiAnswer | undefined>;

/** On the node itself pods have addresses that can be dialled; elsewhere the API server passes requests on. */
export function newReach(api: Api, isOnNode: boolean): Reach {
  return async ({ metadata: { name, namespace = "" }, status }, port, question) => {
    if (!isOnNode) {
      return passedOn(
        api,
        `/api/v1/namespaces/${namespace}/pods/${name}:${port}/proxy${question.path}`,
        question,
      );
    }
    return status?.podIP ? ask(`http://${status.podIP}:${port}${question.path}`, question) : undefined;
  };
}

export async function ask(
  url: string,
  { method = "GET", body }: Omit<HttpQuestion, "path">,
): Promise<ApiAnswer | undefined> {
  try {
    const { statusCode, body: answer } = await request(url, {
      method,
      headers: { "content-type": "application/json" },
      body: body ?? null,
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    return { status: statusCode, text: await answer.text() };
  } catch {
    return undefined;
  }
}

/** The API server itself answers 502 and 503 for a pod or Service that does not. */
export async function passedOn(
  api: Api,
  path: string,
  { method = "GET", body }: Omit<HttpQuestion, "path">,
): Promise<ApiAnswer | undefined> {
  const answer = await api
    .send(path, { method, ...(body === undefined ? {} : { body }) })
    .catch(() => undefined);
  return answer && [502, 503, 504].includes(answer.status) ? undefined : answer;
}
