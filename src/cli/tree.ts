/** A line with what belongs to it. */
export interface Branch {
  readonly text: string;
  readonly children?: readonly Branch[];
}

export function renderTree({ text, children = [] }: Branch): readonly string[] {
  return [text, ...renderedBelow(children)];
}

function renderedBelow(branches: readonly Branch[]): readonly string[] {
  return branches.flatMap(({ text, children = [] }, index) => {
    const isLast = index === branches.length - 1;
    const [first, rest] = isLast ? ["└─ ", "   "] : ["├─ ", "│  "];
    return [`${first}${text}`, ...renderedBelow(children).map((line) => `${rest}${line}`)];
  });
}
