/**
 * What was found out about an object, for as long as that object is held: asked again, it is not found out again. Only
 * for objects that never change, such as those that were read from the server.
 */
export function remembered<K extends object, V>(findOut: (about: K) => V): (about: K) => V {
  const known = new WeakMap<K, { readonly found: V }>();
  return (about) => {
    const before = known.get(about);
    if (before) return before.found;
    const found = findOut(about);
    known.set(about, { found });
    return found;
  };
}
