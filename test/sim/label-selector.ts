/** Whether an object is selected, by its labels. */
export type Selects = (labels: Readonly<Record<string, string>>) => boolean;

/** `spec.selector` of a budget or a StatefulSet. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?: readonly Expression[] | undefined;
}

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[] | undefined;
}

const NAME = String.raw`[\w./-]+`;
const forms: readonly (readonly [RegExp, (key: string, values: readonly string[]) => Selects])[] = [
  [new RegExp(`^(${NAME})\\s*={1,2}\\s*([\\w.-]*)$`), isIn],
  [new RegExp(`^(${NAME})\\s*!=\\s*([\\w.-]*)$`), isNotIn],
  [new RegExp(`^(${NAME})\\s+in\\s*\\(([^()]*)\\)$`), isIn],
  [new RegExp(`^(${NAME})\\s+notin\\s*\\(([^()]*)\\)$`), isNotIn],
  [new RegExp(`^(${NAME})$`), exists],
  [new RegExp(`^!\\s*(${NAME})$`), isAbsent],
];

/** The selection of a query's `labelSelector`; undefined for a text that is no selector. */
export function parseSelector(text: string): Selects | undefined {
  const terms = text.split(/,(?![^(]*\))/).map((term) => term.trim());
  const parts = terms.filter((term) => term !== "").map(parseTerm);
  const selections = parts.filter((part) => part !== undefined);
  return selections.length === parts.length ? every(selections) : undefined;
}

function parseTerm(term: string): Selects | undefined {
  for (const [form, selects] of forms) {
    const [, key, values = ""] = form.exec(term) ?? [];
    if (key !== undefined) {
      return selects(
        key,
        values.split(",").map((value) => value.trim()),
      );
    }
  }
  return undefined;
}

/** An absent selector selects nothing, an empty one everything. */
export function selectionOf(selector: LabelSelector | undefined): Selects {
  if (selector === undefined) return () => false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return every([
    ...Object.entries(matchLabels).map(([key, value]) => isIn(key, [value])),
    ...matchExpressions.map(selectionOfExpression),
  ]);
}

function selectionOfExpression({ key, operator, values = [] }: Expression): Selects {
  switch (operator) {
    case "In":
      return isIn(key, values);
    case "NotIn":
      return isNotIn(key, values);
    case "Exists":
      return exists(key);
    case "DoesNotExist":
      return isAbsent(key);
    default:
      throw new Error(`${operator} is no operator of a label selector`);
  }
}

function every(selections: readonly Selects[]): Selects {
  return (labels) => selections.every((selects) => selects(labels));
}

function isIn(key: string, values: readonly string[]): Selects {
  return (labels) => {
    const value = labels[key];
    return value !== undefined && values.includes(value);
  };
}

/** An object without the label is selected, too. */
function isNotIn(key: string, values: readonly string[]): Selects {
  const selects = isIn(key, values);
  return (labels) => !selects(labels);
}

function exists(key: string): Selects {
  return (labels) => labels[key] !== undefined;
}

function isAbsent(key: string): Selects {
  return (labels) => labels[key] === undefined;
}
