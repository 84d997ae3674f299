interface SelectionRules {
  /** Names of old, under which some are still known. */
  readonly aliases: Readonly<Record<string, string>>;
  /** What runs only where it is named. */
  readonly offByDefault?: ReadonlySet<string>;
}

/**
 * Whether `--controllers` lets one run: `name` switches it on, `-name` off, `*` stands for all that are not named and not off by default
 * (upstream's IsControllerEnabled).
 */
export function isControllerSelected(name: string, list: readonly string[], { aliases, offByDefault }: SelectionRules): boolean {
  const wholeName = (entry: string): string => (Object.hasOwn(aliases, entry) ? (aliases[entry] ?? entry) : entry);
  const named = list.map((entry) => (entry.startsWith('-') ? `-${wholeName(entry.slice(1))}` : wholeName(entry)));
  if (named.includes(name)) return true;
  if (named.includes(`-${name}`)) return false;
  return named.includes('*') && offByDefault?.has(name) !== true;
}
