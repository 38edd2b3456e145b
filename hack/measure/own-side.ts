import { kinds } from "../../src/model/kinds.ts";
import type { OperatorProcess } from "./operator-process.ts";
import { HEAP_MIB, IDENTITY_READ, newOperators } from "./own-operator.ts";
import { allStatefulSets, type Place, type Side } from "./scale-phases.ts";
import { allRunning, createAll, simulateMembers } from "./simulated/fleet.ts";

/** More than the operator holds for each, as an owner would give it. */
const HEAP_OF_ONE_MIB = 0.5;
const [ASKED, VALUE] = ["example.com/asked", "change"];

/** What its heap is limited to. */
export const heapFor = (clusters: number) => Math.max(HEAP_MIB, HEAP_OF_ONE_MIB * clusters);

/** This operator, with clusters whose members are simulated. */
export async function ownSide(place: Place, namespace: string): Promise<Side> {
  const { session, clusters, namespaceOf } = place;
  const operator = await provideOperator(place, namespace);
  const fleet = await simulateMembers(session, { scope: {}, namespaceOf }, operator);
  return {
    ...clustersOf(place, operator),
    check: fleet.check,
    async settle() {
      await allRunning(session, fleet, clusters);
    },
  };
}

/** The same with clusters whose members nothing runs. */
export async function bareSide(place: Place, namespace: string): Promise<Side> {
  const operator = await provideOperator(place, namespace);
  const check = async () => operator.check();
  return { ...clustersOf(place, operator), check, settle: async () => allStatefulSets(place, check) };
}

async function provideOperator({ session, clusters }: Place, namespace: string): Promise<OperatorProcess> {
  const heapMib = heapFor(clusters);
  const newOperator = await newOperators(session, namespace, {
    image: "simulated",
    heapMib,
    watchNamespace: "",
  });
  return newOperator("measured");
}

function clustersOf({ session, clusters, namespaceOf }: Place, operator: OperatorProcess) {
  return {
    name: "this operator",
    operator,
    secretSuffix: IDENTITY_READ,
    create: async () => createAll(session, { namespaceOf }, 0, clusters),
    kind: kinds.cluster,
    change: { spec: { pod: { annotations: { [ASKED]: VALUE } } } },
    isChanged: ({ spec }) => spec?.template.metadata?.annotations?.[ASKED] === VALUE,
  } satisfies Partial<Side>;
}
