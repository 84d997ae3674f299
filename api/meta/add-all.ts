/**
 * Appends a list that may be as long as a body allows: a call with so many arguments (`push(...more)`) would not fit on the stack.
 */
export function addAll<T>(list: T[], more: Iterable<T>): void {
  for (const one of more) list.push(one);
}
