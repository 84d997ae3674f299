import { type Flags, type FlagValues, HelpRequested, helpText, parseFlags } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { Surroundings } from './surroundings.ts';

/** What a command's work gets to see. */
export interface Call<F extends Flags> {
  readonly flags: FlagValues<F>;
  /** Names of flags that stood on the command line. */
  readonly given: ReadonlySet<string>;
  readonly args: readonly string[];
  readonly host: Surroundings;
}

/** One command of the tree: it works by itself, holds others, or both (`init` and `init phase …`). */
export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One line, for the list of the command above. */
  readonly about: string;
  /** More of it, for its own help. */
  readonly details?: string;
  readonly flags: Flags;
  readonly commands: readonly Command[];
  /** How many positional arguments it takes at most. */
  readonly maxArgs: number;
  readonly run?: (call: Call<Flags>) => Promise<void> | void;
}

interface Leaf<F extends Flags> {
  readonly name: string;
  readonly about: string;
  readonly details?: string;
  readonly flags: F;
  readonly maxArgs?: number;
  readonly commands?: readonly Command[];
  run(call: Call<F>): Promise<void> | void;
}

/** A command that does something. */
export function command<F extends Flags>({ run, commands = [], maxArgs = 0, ...about }: Leaf<F>): Command {
  return { ...about, commands, maxArgs, run: (call) => run(call as Call<F>) };
}

/** A command that only holds others. */
export function group(name: string, about: string, commands: readonly Command[], aliases: readonly string[] = []): Command {
  return { name, about, aliases, flags: {}, commands, maxArgs: 0 };
}

/** Finds the command that `argv` names and runs it. Throws UsageError for unknown words, HelpRequested for `--help`. */
export async function runCommand(root: Command, argv: readonly string[], host: Surroundings): Promise<void> {
  let [found, path, rest]: [Command, string, readonly string[]] = [root, root.name, argv];
  for (;;) {
    const [word = ''] = rest;
    const next = found.commands.find(({ name, aliases = [] }) => name === word || aliases.includes(word));
    if (next === undefined) break;
    [found, path, rest] = [next, `${path} ${next.name}`, rest.slice(1)];
  }
  if (found.run === undefined) return refuse(found, path, rest);
  if (rest.some((word) => word === '-h' || word === '--help')) throw new HelpRequested(textOf(found, path));
  const { values, given, positional } = parseFlags(path, found.flags, rest, found.about);
  const [surplus] = positional.slice(found.maxArgs);
  if (surplus !== undefined) throw new UsageError(`unknown command ${JSON.stringify(surplus)} for ${JSON.stringify(path)}`);
  await found.run({ flags: values, given, args: positional, host });
}

function refuse(found: Command, path: string, rest: readonly string[]): never {
  const [word] = rest;
  if (word === undefined || word === '-h' || word === '--help') throw new HelpRequested(textOf(found, path));
  throw new UsageError(`unknown command ${JSON.stringify(word)} for ${JSON.stringify(path)} (see ${path} --help)`);
}

function textOf(found: Command, path: string): string {
  const width = Math.max(0, ...found.commands.map(({ name }) => name.length)) + 2;
  const list = found.commands.map(({ name, about }) => `  ${name.padEnd(width)}${about}\n`).join('');
  const commands = list === '' ? '' : `\nAvailable Commands:\n${list}`;
  const about = found.details === undefined ? found.about : `${found.about}\n\n${found.details}`;
  if (found.run !== undefined) return `${helpText(path, found.flags, about)}${commands}`;
  return `${found.about}\n\nUsage:\n  ${path} [command]\n${commands}\nUse "${path} [command] --help" for more information about a command.\n`;
}
