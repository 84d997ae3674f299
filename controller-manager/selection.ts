/**
 * Whether `--controllers` lets one run: `name` switches it on, `-name` off, `*` stands for all that are not named
 * (upstream's IsControllerEnabled).
 */
export function isSelected(name: string, list: readonly string[]): boolean {
  if (list.includes(name)) return true;
  if (list.includes(`-${name}`)) return false;
  return list.includes('*');
}
