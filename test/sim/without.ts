/** The object without these fields. */
export function without<T extends object, Name extends keyof T & string>(
  object: T,
  names: readonly Name[],
): Omit<T, Name> {
  const rest = Object.entries(object).filter(([name]) => !names.includes(name as Name));
  return Object.fromEntries(rest) as Omit<T, Name>;
}
