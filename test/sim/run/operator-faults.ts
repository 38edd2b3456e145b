import { KubeError } from "../../../src/kube/errors.ts";
import { kinds } from "../../../src/model/kinds.ts";
import type { Fault, Faults, Request } from "../faults.ts";
import type { Universe } from "./universe.ts";

const reads: ReadonlySet<string> = new Set(["get", "list", "watch"]);
const isWrite = ({ verb }: Request) => !reads.has(verb);

export interface OperatorFaultsOptions {
  readonly universe: Universe;
  readonly kill: (awayMs: number) => void;
  readonly stop: (forMs: number) => void;
  /** Told about every write that arrives. */
  readonly onWrite: (request: Request) => void;
  /** Told about every write that was carried out, or refused. */
  readonly onOutcome: (request: Request, isCarriedOut: boolean) => void;
}

/** What happens to the requests of one operator, and to itself between two of them. */
export function operatorFaults({ universe, kill, stop, onWrite, onOutcome }: OperatorFaultsOptions): Faults {
  const { chance, counts, history } = universe;
  const dies = (): boolean => {
    if (!chance.is(universe.weather.killRate)) return false;
    counts.add("operator killed between two calls");
    kill(chance.between(500, 8_000));
    return true;
  };
  return {
    before: (request) => {
      if (dies()) return { error: new KubeError("Unavailable", "the process is gone") };
      const write = `${request.client} ${request.verb} ${request.kind} ${request.namespace}/${request.name}`;
      if (chance.is(universe.weather.failRate)) {
        counts.add("call of the API failed");
        if (isWrite(request)) history.note(`${write} fails`);
        return failure(universe);
      }
      if (!isWrite(request)) return undefined;
      if (request.kind !== kinds.lease.kind) history.note(write);
      onWrite(request);
      return undefined;
    },
    after: (request, isCarriedOut) => {
      if (isWrite(request)) onOutcome(request, isCarriedOut);
      if (dies()) return undefined;
      if (chance.is(universe.weather.stopRate)) {
        counts.add("operator stood still between two calls");
        stop(chance.between(3_000, 30_000));
      }
      if (!chance.is(universe.weather.lostAnswerRate)) return undefined;
      counts.add(isWrite(request) ? "write carried out, answer lost" : "answer to a read lost");
      return { error: new KubeError("Timeout", "the answer was lost"), afterMs: chance.between(500, 5_000) };
    },
  };
}

function failure({ chance }: Universe): Fault {
  const kind = chance.pick(["Unavailable", "Throttled", "Timeout"] as const) ?? "Unavailable";
  return { error: new KubeError(kind, "the server does not answer"), afterMs: chance.between(0, 3_000) };
}

/** How long a request or an answer is under way. */
export function latencyMs({ chance, counts, weather }: Universe): number {
  if (!chance.is(weather.lateRate)) return chance.between(1, 12);
  counts.add("call of the API answered late");
  return chance.between(500, 2_000);
}
