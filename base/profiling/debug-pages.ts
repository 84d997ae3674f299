// The pages for those who look into a running process: /debug/pprof/ (profiles) and /debug/flags/v (how much its log says), with Go's paths,
// parameters and answers as far as a process of Node has what they tell.
import type { Clock } from '../clock.ts';
import { type LogLevelSwitch, verbosityLevel } from '../log.ts';
import { type Profile, pprofBytes } from './pprof.ts';
import { activeResources, allocationProfile, cpuProfile, memoryProfile, resourcesProfile } from './v8-profiles.ts';

interface DebugPagesDeps {
  readonly clock: Clock;
  /** How much the process says in its log. */
  readonly logLevel: LogLevelSwitch;
  /** False: no profiles. */
  readonly hasProfiles: boolean;
  /** False: the level of the log stays. Default: it may be set. */
  readonly takesLevel?: boolean;
  /** The command that started the process. */
  readonly argv: readonly string[];
}

export interface DebugRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The whole body; asked for only where it means something. */
  readonly body: () => Promise<Uint8Array>;
}

export interface DebugAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array | string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const plain = 'text/plain; charset=utf-8';
const defaultSeconds = 30;
/** A process that is profiled for ever would be slow for ever. */
const maxSeconds = 3_600;

const profiles: Readonly<Record<string, string>> = {
  allocs: 'What was allocated during ?seconds= (default 30), freed or not',
  cmdline: 'The command line of this process',
  goroutine: 'What keeps the event loop alive: connections, timers, requests to the system. ?debug=1 for text',
  heap: 'What memory is used for now, by space of the heap; with ?seconds=, what was allocated meanwhile and still lives, by function',
  profile: 'Where the processor spends its time during ?seconds= (default 30), by function',
};
const root = '/debug/pprof';
const flagPath = '/debug/flags/v';

export class DebugPages {
  readonly #deps: DebugPagesDeps;
  #isProfiling = false;

  constructor(deps: DebugPagesDeps) {
    this.#deps = deps;
  }

  owns(path: string): boolean {
    if (path === flagPath) return this.#deps.takesLevel !== false;
    return this.#deps.hasProfiles && (path === root || path.startsWith(`${root}/`));
  }

  paths(): string[] {
    return [...(this.#deps.takesLevel === false ? [] : [flagPath]), ...(this.#deps.hasProfiles ? [`${root}/`] : [])];
  }

  /** An abort of the signal ends a profile early. */
  async answer(request: DebugRequest, signal: AbortSignal): Promise<DebugAnswer> {
    const { path } = request;
    if (path === flagPath) return this.#setLevel(request);
    const name = path.slice(root.length + 1);
    switch (name) {
      case '':
        return path === root ? moved(`${root}/`) : page(indexText());
      case 'cmdline':
        return page(this.#deps.argv.join('\0'));
      case 'symbol':
        // Profiles name their functions themselves.
        return page('num_symbols: 1\n');
      case 'goroutine':
        return request.query.get('debug') === null || request.query.get('debug') === '0'
          ? download(name, resourcesProfile(this.#deps.clock))
          : page(resourcesText());
      case 'heap':
        if (!request.query.has('seconds')) return download(name, memoryProfile(this.#deps.clock));
        return this.#profile(request, (ms) => allocationProfile('living', ms, this.#deps.clock, signal), name);
      case 'allocs':
        return this.#profile(request, (ms) => allocationProfile('all', ms, this.#deps.clock, signal), name);
      case 'profile':
        return this.#profile(request, (ms) => cpuProfile(ms, this.#deps.clock, signal), name);
      default:
        return problem(404, 'Unknown profile');
    }
  }

  async #profile({ query }: DebugRequest, measure: (ms: number) => Promise<Profile>, name: string): Promise<DebugAnswer> {
    const asked = query.get('seconds') ?? '';
    const seconds = /^\d+$/.test(asked) && Number(asked) > 0 ? Number(asked) : defaultSeconds;
    if (seconds > maxSeconds) return problem(400, `a profile may last ${maxSeconds} seconds at most`);
    if (this.#isProfiling) return problem(500, 'Could not enable profiling: a profile is being made already');
    this.#isProfiling = true;
    try {
      return download(name, await measure(seconds * 1_000));
    } finally {
      this.#isProfiling = false;
    }
  }

  async #setLevel({ method, body }: DebugRequest): Promise<DebugAnswer> {
    if (method !== 'PUT') return page('unsupported http method', 406);
    const text = Buffer.from(await body()).toString();
    if (!/^[+-]?\d{1,9}$/.test(text)) {
      const why = `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`;
      return page(`failed set klog.logging.verbosity ${text}: ${why}`, 400);
    }
    this.#deps.logLevel.level = verbosityLevel(Number(text));
    return page(`successfully set klog.logging.verbosity to ${text}`);
  }
}

function page(text: string, status = 200): DebugAnswer {
  return { status, contentType: plain, body: text, headers: [['X-Content-Type-Options', 'nosniff']] };
}

function problem(status: number, text: string): DebugAnswer {
  return {
    status,
    contentType: plain,
    body: `${text}\n`,
    headers: [
      ['X-Go-Pprof', '1'],
      ['X-Content-Type-Options', 'nosniff'],
    ],
  };
}

function moved(to: string): DebugAnswer {
  return { status: 301, contentType: plain, body: '', headers: [['Location', to]] };
}

function download(name: string, profile: Profile): DebugAnswer {
  const headers = [
    ['X-Content-Type-Options', 'nosniff'],
    ['Content-Disposition', `attachment; filename="${name}"`],
  ] as const;
  return { status: 200, contentType: 'application/octet-stream', body: pprofBytes(profile), headers };
}

function indexText(): string {
  const lines = Object.entries(profiles).map(([name, about]) => `${name.padEnd(10)} ${about}\n`);
  return `${root}/\n\nProfiles, for go tool pprof, speedscope and the like:\n\n${lines.join('')}`;
}

function resourcesText(): string {
  const counts = activeResources();
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return `goroutine profile: total ${total}\n${Array.from(counts, ([name, count]) => `${count} @ ${name}\n`).join('')}`;
}
