/** `node hack/promtool.ts`: builds promtool, with which the tests of alerts and dashboard ask Prometheus itself. */
import { buildBinary } from "./local-cluster/go-build.ts";

console.log(await buildBinary("promtool"));
