/** `node hack/helm.ts`: fetches helm in each version that the chart is tested with. */
import { provideHelm } from "./local-cluster/helm.ts";
import { versions } from "./local-cluster/layout.ts";

for (const version of [versions.helm, versions.oldestHelm]) console.log(await provideHelm(version));
