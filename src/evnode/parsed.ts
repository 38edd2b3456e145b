import type * as z from "zod";

/** What reading a text gave: the value, or what is wrong with it in words that never quote the text. */
export type Parsed<T> =
  | { readonly kind: "parsed"; readonly value: T }
  | { readonly kind: "malformed"; readonly problem: string };

export function parsed<T>(value: T): Parsed<T> {
  return { kind: "parsed", value };
}

export function malformed(problem: string): Parsed<never> {
  return { kind: "malformed", problem };
}

export function parseJson<T>(schema: z.ZodType<T>, text: string, subject: string): Parsed<T> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold a key.
    return malformed(`${subject} is not valid JSON`);
  }
  return check(schema, json, subject);
}

export function check<T>(schema: z.ZodType<T>, value: unknown, subject: string): Parsed<T> {
  const result = schema.safeParse(value);
  if (result.success) return parsed(result.data);

  const [issue] = result.error.issues;
  const path = issue?.path.join(".") ?? "";
  return malformed(`${subject}: ${path === "" ? "" : `${path}: `}${issue?.message ?? "not as expected"}`);
}
