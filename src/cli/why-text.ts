import type { Paint } from "./paint.ts";
import { renderTable } from "./table.ts";
import type { Verdict, Why } from "./why.ts";

const sums: Readonly<Record<Verdict, string>> = {
  passed: "does nothing",
  atWork: "is at work",
  waits: "waits",
  asksYou: "needs you",
  unknown: "nobody can say",
};

const words: Readonly<Record<Verdict, string>> = {
  passed: "passed",
  atWork: "at work",
  waits: "waits",
  asksYou: "needs you",
  unknown: "unknown",
};

export function whyText({ cluster, verdict, says, rules }: Why, paint: Paint): readonly string[] {
  const colours: Readonly<Record<Verdict, (text: string) => string>> = {
    passed: paint.good,
    atWork: paint.warn,
    waits: paint.warn,
    asksYou: paint.bad,
    unknown: paint.warn,
  };
  const rows = rules.map((rule) => [`  ${rule.rule}`, colours[rule.verdict](words[rule.verdict]), rule.says]);
  const nexts = rules.flatMap(({ next }) => (next === undefined ? [] : [`  ${next}`]));
  return [
    `${paint.strong(cluster)}: the operator ${colours[verdict](sums[verdict])}. ${says}`,
    "",
    "Rule by rule, as the operator told it last:",
    ...renderTable(rows),
    ...(nexts.length === 0 ? [] : ["", "Next:", ...new Set(nexts)]),
  ];
}
