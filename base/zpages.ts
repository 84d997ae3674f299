// The pages /statusz and /flagz, which show what a component is and how it was started. What is machine-readable of them has a form
// of its own, an object of config.k8s.io; the text may change at any time and says so.
import { parseAccept } from './accept.ts';
import { buildInfo } from './build-info.ts';
import type { Flags, FlagValues } from './flags.ts';
import { formatDuration } from './duration.ts';

export interface Zpage {
  readonly text: string;
  readonly object: object;
}

const group = 'config.k8s.io';
const version = 'v1beta1';
const apiVersion = `${group}/${version}`;
const kinds = { '/statusz': 'Statusz', '/flagz': 'Flagz' } as const;
export type ZpagePath = keyof typeof kinds;
export const zpagePaths = Object.keys(kinds) as readonly ZpagePath[];
/** How a page can be had, as refusals name it. */
export const zpageTypes = ['application/json', 'application/yaml', 'text/plain'] as const;
type ZpageType = (typeof zpageTypes)[number];
const warning =
  'Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.';

/**
 * Which form of a page a client wants; undefined where it wants none of them. Plain application/json is refused, so that nobody takes
 * an object for what the next release may not give.
 */
export function zpageType(path: ZpagePath, accept: string): ZpageType | undefined {
  if (accept.trim() === '') return 'text/plain';
  for (const { type, params } of parseAccept(accept)) {
    const { as, g, v } = params;
    if (as === undefined && (type === 'text/plain' || type === 'text/*' || type === '*/*')) return 'text/plain';
    if (as !== kinds[path] || g !== group || v !== version) continue;
    if (type === 'application/json' || type === 'application/*' || type === '*/*') return 'application/json';
    if (type === 'application/yaml') return type;
  }
  return undefined;
}

/** The status of a component other than the API server. */
export interface AboutComponent {
  readonly component: string;
  readonly flags: Readonly<Record<string, string>>;
  /** Paths of its other pages. */
  readonly paths: readonly string[];
}

/** The answer of a process that has been up as long as this one; `text` is a whole body. */
export function answerZpage(
  path: ZpagePath,
  accept: string,
  { component, flags, paths }: AboutComponent,
): { readonly status: number; readonly text: string; readonly contentType: string } {
  const type = zpageType(path, accept);
  const plain = 'text/plain; charset=utf-8';
  if (type === undefined) {
    return { status: 406, text: `only the following media types are accepted: ${zpageTypes.join(', ')}\n`, contentType: plain };
  }
  const startedMs = performance.timeOrigin;
  const nowMs = startedMs + process.uptime() * 1_000;
  const page = path === '/flagz' ? flagzPage(component, flags) : statuszPage({ component, startedMs, nowMs, paths });
  if (type === 'text/plain') return { status: 200, text: page.text, contentType: plain };
  // JSON is YAML, too.
  return { status: 200, text: `${JSON.stringify(page.object)}\n`, contentType: type };
}

interface ComponentStatus {
  readonly component: string;
  readonly startedMs: number;
  readonly nowMs: number;
  /** Paths of other pages; only the first segment of each is shown. */
  readonly paths: readonly string[];
}

export function statuszPage({ component, startedMs, nowMs, paths }: ComponentStatus): Zpage {
  const { major, minor, gitVersion, goVersion } = buildInfo();
  const uptimeSeconds = Math.max(0, Math.floor((nowMs - startedMs) / 1_000));
  const binaryVersion = gitVersion.replace(/^v/, '');
  const emulationVersion = `${major}.${minor}`;
  const folders = [...new Set(paths.map((path) => `/${path.split('/')[1] ?? ''}`))].filter((folder) => folder !== '/').toSorted();
  const lines = [
    `Started: ${unixDate(startedMs)}`,
    `Up: ${uptimeText(uptimeSeconds)}`,
    `Go version: ${goVersion}`,
    `Binary version: ${binaryVersion}`,
    `Emulation version: ${emulationVersion}`,
    ...(folders.length === 0 ? [] : [`Paths: ${folders.join(' ')}`]),
  ];
  return {
    text: `\n${component} statusz\n${warning}\n\n${lines.join('\n')}\n`,
    object: {
      kind: 'Statusz',
      apiVersion,
      metadata: { name: component },
      startTime: new Date(startedMs).toISOString().replace(/\.\d+Z$/, 'Z'),
      uptimeSeconds,
      goVersion,
      binaryVersion,
      emulationVersion,
      minimumCompatibilityVersion: `${major}.${Number(minor) - 1}`,
      ...(folders.length === 0 ? {} : { paths: folders }),
    },
  };
}

export function flagzPage(component: string, flags: Readonly<Record<string, string>>): Zpage {
  const lines = Object.entries(flags)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `${name}=${text}\n`);
  return {
    text: `\n${component} flags\n${warning}\n\n${lines.join('')}`,
    object: { kind: 'Flagz', apiVersion, metadata: { name: component }, flags },
  };
}

/** The values of all flags, given or not, as Go's flags print theirs. */
export function flagTexts<F extends Flags>(flags: F, values: FlagValues<F>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(flags).map(([name, { valueName }]) => [name, valueText(values[name], valueName)]));
}

function valueText(value: unknown, valueName: string | undefined): string {
  if (typeof value === 'number' && valueName === 'duration') return formatDuration(value);
  if (Array.isArray(value)) return `[${value.join(',')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const pairs = Object.entries(value).map(([key, one]) => `${key}=${String(one)}`);
  return pairs.toSorted().join(',');
}

/** As Go's time.UnixDate has it: `Wed Oct  6 21:03:43 UTC 2024`. */
function unixDate(ms: number): string {
  const [weekday = '', day = '', month = '', year = '', time = ''] = new Date(ms).toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${time} UTC ${year}`;
}

function uptimeText(seconds: number): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${Math.floor(seconds / 3_600)} hr ${two(Math.floor(seconds / 60) % 60)} min ${two(seconds % 60)} sec`;
}
