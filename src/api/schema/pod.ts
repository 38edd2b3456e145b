import * as z from "zod";
import { QUANTITY_PATTERN } from "../../model/quantity.ts";
import { celString, field, type Rule } from "./field.ts";
import { choice, integer, objectName } from "./scalars.ts";

const MAX_ENTRIES = 32;
const LABEL_NAME = "[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?";
const KEY = `^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?${LABEL_NAME}$`;
const LABEL_VALUE = `^(${LABEL_NAME})?$`;
const OPERATOR_KEY = "^([-a-z0-9.]*[.])?evnode[.]dev/";
const KUBERNETES_KEY = "^([-a-z0-9.]*[.])?(kubernetes|k8s)[.]io/";
const AUTOSCALER_KEY = "^cluster-autoscaler[.]kubernetes[.]io/";
const REVISION_LABEL = "controller-revision-hash";

type Entries = Record<string, string>;

const keys = (entries: object) => Object.keys(entries);
const test = (pattern: string) => (text: string) => new RegExp(pattern).test(text);
const cel = (variable: string, pattern: string) => `${variable}.matches(${celString(pattern)})`;

const validKeys: Rule<Entries> = {
  cel: `self.all(k, ${cel("k", KEY)})`,
  message:
    "Each key must be a name of at most 63 letters, digits, `-`, `_` and `.`, optionally after a DNS name and a slash, such as example.com/team.",
  holds: (entries) => keys(entries).every(test(KEY)),
};

const validValues: Rule<Entries> = {
  cel: `self.all(k, ${cel("self[k]", LABEL_VALUE)})`,
  message:
    "Each value must be empty or at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit.",
  holds: (entries) => Object.values(entries).every(test(LABEL_VALUE)),
};

const freeLabels: Rule<Entries> = {
  cel: `self.all(k, !${cel("k", OPERATOR_KEY)} && !${cel("k", KUBERNETES_KEY)} && k != '${REVISION_LABEL}')`,
  message:
    "Labels under evnode.dev, kubernetes.io and k8s.io and the label controller-revision-hash are reserved.",
  holds: (entries) =>
    keys(entries).every((k) => !test(OPERATOR_KEY)(k) && !test(KUBERNETES_KEY)(k) && k !== REVISION_LABEL),
};

const freeAnnotations: Rule<Entries> = {
  cel: `self.all(k, !${cel("k", OPERATOR_KEY)} && (!${cel("k", KUBERNETES_KEY)} || ${cel("k", AUTOSCALER_KEY)}))`,
  message:
    "Annotations under evnode.dev, kubernetes.io and k8s.io are reserved, except those of cluster-autoscaler.kubernetes.io.",
  holds: (entries) =>
    keys(entries).every(
      (k) => !test(OPERATOR_KEY)(k) && (!test(KUBERNETES_KEY)(k) || test(AUTOSCALER_KEY)(k)),
    ),
};

const operatorKeysFree: Rule<Entries> = {
  cel: `self.all(k, !${cel("k", OPERATOR_KEY)})`,
  message: "Annotations under evnode.dev are reserved.",
  holds: (entries) => !keys(entries).some(test(OPERATOR_KEY)),
};

function entries(maxValueLength: number, description: string, rules: readonly Rule<Entries>[]) {
  return field(z.record(z.string().max(317), z.string().max(maxValueLength)), description, {
    rules,
    keywords: { maxProperties: MAX_ENTRIES },
  });
}

const validAmounts: Rule<Record<string, string | number>> = {
  cel: `self.all(k, string(self[k]).matches(${celString(QUANTITY_PATTERN)}))`,
  message: "Each amount must be a quantity such as 500m, 2 or 4Gi.",
  holds: (amounts) => Object.values(amounts).every((amount) => test(QUANTITY_PATTERN)(String(amount))),
};

/** An amount may be written as a number or as a text; the API server keeps it as it was written. */
function amounts(description: string) {
  const amount = z
    .union([z.int32(), z.string().max(32)])
    .meta({ "x-kubernetes-int-or-string": true, maxLength: 32 });
  return field(z.record(z.string().max(253), amount), description, {
    rules: [validAmounts],
    keywords: { maxProperties: 16 },
  });
}

export function resourcesOf(description: string) {
  return field(
    z.object({
      requests: amounts("Least amounts, by resource name such as cpu or memory.").exactOptional(),
      limits: amounts(
        "Greatest amounts, by resource name. A CPU limit throttles the leader and can cost it its leadership; prefer a request alone.",
      ).exactOptional(),
    }),
    description,
  );
}

interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

const tolerationRules: readonly Rule<Toleration>[] = [
  {
    cel: "(has(self.key) && self.key != '') || (has(self.operator) && self.operator == 'Exists')",
    message: "A toleration without a key needs operator Exists.",
    holds: ({ key = "", operator }) => key !== "" || operator === "Exists",
  },
  {
    cel: "!has(self.operator) || self.operator != 'Exists' || !has(self.value) || self.value == ''",
    message: "A toleration with operator Exists has no value.",
    holds: ({ operator, value = "" }) => operator !== "Exists" || value === "",
  },
  {
    cel: "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
    message: "Only a toleration of effect NoExecute may have tolerationSeconds.",
    holds: ({ tolerationSeconds, effect }) => tolerationSeconds === undefined || effect === "NoExecute",
  },
];

const toleration = field(
  z.object({
    key: field(
      z.string().max(317),
      "Key of the taint; empty with operator Exists matches all.",
    ).exactOptional(),
    operator: choice(
      ["Exists", "Equal"],
      "How key and value are compared; Equal when absent.",
    ).exactOptional(),
    value: field(z.string().max(63), "Value of the taint, for operator Equal.").exactOptional(),
    effect: choice(
      ["NoSchedule", "PreferNoSchedule", "NoExecute"],
      "Effect of the taint; all when absent.",
    ).exactOptional(),
    tolerationSeconds: field(
      z.int().min(0),
      "How long a NoExecute taint is tolerated; for ever when absent.",
      {
        keywords: { format: "int64" },
      },
    ).exactOptional(),
  }),
  "One toleration, as in a pod's spec.",
  { rules: tolerationRules },
);

const affinity = field(
  z.record(z.string(), z.unknown()),
  "Affinity of the pods, as in a pod's spec. It is added to the spreading that topology asks for.",
  { keywords: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
);

export const pod = field(
  z.object({
    resources: resourcesOf("Resources of the node's container.").exactOptional(),
    nodeSelector: entries(63, "Labels that a Kubernetes node must have.", [
      validKeys,
      validValues,
    ]).exactOptional(),
    tolerations: field(z.array(toleration).max(MAX_ENTRIES), "Taints that the pods tolerate.", {
      keywords: { "x-kubernetes-list-type": "atomic" },
    }).exactOptional(),
    affinity: affinity.exactOptional(),
    priorityClassName: objectName("Priority class of the pods.").exactOptional(),
    labels: entries(63, "Further labels of the pods.", [validKeys, validValues, freeLabels]).exactOptional(),
    annotations: entries(4096, "Further annotations of the pods.", [
      validKeys,
      freeAnnotations,
    ]).exactOptional(),
    terminationGracePeriodSeconds: integer(
      30,
      3600,
      "How long a member may take to stop. A leader hands over before it stops, which takes time.",
    ).exactOptional(),
    serviceAccountAnnotations: entries(
      1024,
      "Annotations of the members' service account, for the workload identity of a cloud.",
      [validKeys, operatorKeysFree],
    ).exactOptional(),
  }),
  "What the members' pods get beyond what the operator decides.",
);
