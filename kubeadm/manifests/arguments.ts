import type { Argument } from '../config/cluster.ts';

/** A command line: the defaults sorted by name, where `extra` replaces what it names and adds the rest. Names may come twice in `extra`. */
export function commandLine(
  program: string,
  defaults: Readonly<Record<string, string>>,
  extra: readonly Argument[] = [],
): readonly string[] {
  const kept = Object.entries(defaults).filter(([name]) => !extra.some((one) => one.name === name));
  const all = [...kept.map(([name, value]) => ({ name, value })), ...extra];
  return [program, ...all.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)).map(({ name, value }) => `--${name}=${value}`)];
}
