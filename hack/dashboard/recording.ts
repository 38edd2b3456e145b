import { kinds } from "../../src/model/kinds.ts";
import { MAIN } from "../../test/sim/run/wanted.ts";
import { INTERVAL_S, type InputSeries, RecordedRun } from "../../test/telemetry/recorded-run.ts";

/** Something that happened to the cluster, and when. */
export interface Mark {
  readonly atSeconds: number;
  readonly what: string;
}

export interface Recording {
  readonly series: readonly InputSeries[];
  readonly intervalSeconds: number;
  readonly endSeconds: number;
  readonly marks: readonly Mark[];
}

/** Three quarters of an hour in the life of a simulated cluster, as Prometheus would have scraped its operator. */
export async function record(): Promise<Recording> {
  const run = new RecordedRun();
  const marks: Mark[] = [];
  const mark = (what: string) => marks.push({ atSeconds: run.seconds, what });
  await run.pass(10);
  mark("another image");
  upgrade(run, "example.org/testapp:2");
  await run.pass(11);
  mark("the leader is killed");
  run.killLeader();
  await run.pass(11);
  mark("Raft ports are cut for 4 min");
  run.cutRaft(4);
  await run.pass(13);
  return {
    series: run.series().filter(isOfOperator),
    intervalSeconds: INTERVAL_S,
    endSeconds: run.seconds,
    marks,
  };
}

function upgrade({ universe }: RecordedRun, image: string): void {
  universe.registry.patch(kinds.cluster, MAIN, { spec: { image } });
}

/** A simulated operator has no process of its own whose memory and time would mean something. */
const isOfOperator = ({ series }: InputSeries) => !series.startsWith("process_");
