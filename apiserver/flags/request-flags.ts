// The flags that say how requests are taken, limited and ended, with upstream's defaults and its words for what is wrong.
import { boolFlag, durationFlag, type FlagValues, floatFlag, intFlag, partsFlag, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';

export const requestFlags = {
  'cors-allowed-origins': partsFlag(
    'Regular expressions of the origins that browsers may send requests from; default: no origin is let in',
  ),
  'enable-priority-and-fairness': boolFlag(
    true,
    'If true, --max-requests-inflight and --max-mutating-requests-inflight may not both be 0; each is a limit of its own either way',
  ),
  'etcd-healthcheck-timeout': durationFlag(2_000, 'How long the store may take to answer the check `etcd`'),
  'etcd-readycheck-timeout': durationFlag(2_000, 'How long the store may take to answer the check `etcd-readiness`'),
  'external-hostname': stringFlag(
    '',
    'The address at which external clients reach this server, as published by discovery; default: the advertised address',
    {
      valueName: 'host',
    },
  ),
  'goaway-chance': floatFlag(0, 'The fraction of HTTP/2 requests answered with GOAWAY, so that clients reconnect'),
  'http2-max-streams-per-connection': intFlag(0, 'How many requests an HTTP/2 connection may have under way; 0 is 100', { min: 0 }),
  'livez-grace-period': durationFlag(0, 'How long after the start /livez takes what the server does at its start for done'),
  'max-mutating-requests-inflight': intFlag(200, 'Writes at a time; 0 is no limit'),
  'max-requests-inflight': intFlag(400, 'Reads at a time; 0 is no limit'),
  'min-request-timeout': intFlag(1_800, 'Seconds that a watch lasts at least, unless it asks for less'),
  'request-timeout': durationFlag(60_000, 'How long a request may take that is no watch, log or the like'),
  'shutdown-delay-duration': durationFlag(0, 'How long to go on serving after readyz has begun to fail'),
  'shutdown-send-retry-after': boolFlag(
    false,
    'If true, new connections are taken until the open requests are done, and what comes meanwhile is sent away with 429 and Retry-After',
  ),
  'shutdown-watch-termination-grace-period': durationFlag(0, 'How long watches may take to end after they are all notified'),
  'strict-transport-security-directives': partsFlag('Directives for browsers that should come by HTTPS alone; default: none'),
} as const;

/** How the server talks HTTP. */
export interface HttpSettings {
  /** Origins that browsers may send requests from. */
  readonly origins: readonly RegExp[];
  /** The value of Strict-Transport-Security; '' for none. */
  readonly transportSecurity: string;
  /** Share of the HTTP/2 requests that end their connection, 0 to 0.02. */
  readonly goawayChance: number;
  readonly streamsPerConnection: number;
  /** Whether clients that come while the server ends are sent away with words. */
  readonly sendsRetryAfter: boolean;
}

export interface RequestLimits {
  readonly reads: number;
  readonly writes: number;
  readonly requestMs: number;
  readonly minWatchSeconds: number;
  readonly shutdownDelayMs: number;
}

/** How health is judged. */
export interface HealthSettings {
  /** How long the store may take to answer the two checks of it. */
  readonly storeMs: number;
  readonly storeReadyMs: number;
  /** How long after the start /livez takes what is done at the start for done. */
  readonly startGraceMs: number;
}

export const usualHealth: HealthSettings = { storeMs: 2_000, storeReadyMs: 2_000, startGraceMs: 0 };

const defaultStreams = 100;

export const plainHttp: HttpSettings = {
  origins: [],
  transportSecurity: '',
  goawayChance: 0,
  streamsPerConnection: defaultStreams,
  sendsRetryAfter: false,
};

type Values = FlagValues<typeof requestFlags>;

/** Throws UsageError in upstream's words. */
export function readHttpSettings(values: Values): HttpSettings {
  const chance = values['goaway-chance'];
  if (chance < 0 || chance > 0.02) throw new UsageError('--goaway-chance can not be less than 0 or greater than 0.02');
  return {
    origins: values['cors-allowed-origins'].map(readOrigin),
    transportSecurity: readDirectives(values['strict-transport-security-directives']),
    goawayChance: chance,
    streamsPerConnection: values['http2-max-streams-per-connection'] || defaultStreams,
    sendsRetryAfter: values['shutdown-send-retry-after'],
  };
}

const notNegative = [
  'max-requests-inflight',
  'max-mutating-requests-inflight',
  'request-timeout',
  'min-request-timeout',
  'shutdown-delay-duration',
] as const;

/** Throws UsageError in upstream's words. */
export function readLimits(values: Values): RequestLimits {
  for (const name of notNegative) if (values[name] < 0) throw new UsageError(`--${name} can not be negative value`);
  if (values['livez-grace-period'] < 0) throw new UsageError('--livez-grace-period can not be a negative value');
  if (values['shutdown-watch-termination-grace-period'] < 0) {
    throw new UsageError('shutdown-watch-termination-grace-period, if provided, can not be a negative value');
  }
  const [reads, writes] = [values['max-requests-inflight'], values['max-mutating-requests-inflight']];
  if (values['enable-priority-and-fairness'] && reads + writes === 0) {
    throw new UsageError(
      `invalid configuration: MaxRequestsInFlight=${reads} and MaxMutatingRequestsInFlight=${writes}; they must add up to something positive`,
    );
  }
  return {
    reads,
    writes,
    requestMs: values['request-timeout'],
    minWatchSeconds: values['min-request-timeout'],
    shutdownDelayMs: values['shutdown-delay-duration'],
  };
}

/** An expression that is tied to both ends of an origin's host, so that no other host has it as a part of its name. */
function readOrigin(text: string): RegExp {
  if (text === '') throw new UsageError('empty value in --cors-allowed-origins');
  const refuse = (why: string): UsageError => new UsageError(`--cors-allowed-origins has an invalid regular expression: ${why}`);
  let expression: RegExp;
  try {
    // Upstream's dialect may begin with flags, which are said elsewhere here.
    const [, flags = '', rest = text] = /^\(\?([ims]+)\)(.*)$/s.exec(text) ?? [];
    expression = new RegExp(rest, flags);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  const isPinned = (text.includes('^') || text.includes('//')) && (text.includes('$') || text.includes(':'));
  if (!isPinned) throw refuse('regular expression does not pin to start/end of host in the origin header');
  return expression;
}

function readDirectives(directives: readonly string[]): string {
  for (const directive of directives) {
    if (directive.trim() === '') throw new UsageError('empty value in strict-transport-security-directives');
    if (directive === 'includeSubDomains' || directive === 'preload' || /^max-age=[^=]*$/.test(directive)) continue;
    throw new UsageError(
      '--strict-transport-security-directives invalid, allowed values: max-age=expireTime, includeSubDomains, preload. ' +
        'see https://tools.ietf.org/html/rfc6797#section-6.1 for more information',
    );
  }
  return directives.join('; ');
}
