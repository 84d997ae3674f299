// The port of a component that others may reach: health is public, all else is authorized by the API server. Upstream's flags of
// delegated authentication and authorization (apiserver/pkg/server/options).
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { ApiError } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import { boolFlag, durationFlag, type FlagValues, listFlag, stringFlag } from '#base/flags.ts';
import type { Answer } from '#base/health-server.ts';
import { isAbort } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Client } from './client.ts';
import { ClientTrust, type TrustFiles, visitorByCertificate } from './client-trust.ts';
import { anonymous, bearerToken, DelegatedAccess, everyUser, type Visitor } from './delegated-access.ts';
import { findEndpoint } from './kubeconfig.ts';
import { connect } from './rest.ts';

const file = { valueName: 'file' };

export const componentPortFlags = {
  'authentication-kubeconfig': stringFlag('', 'Where to ask whom a bearer token stands for; without it, tokens mean nothing', file),
  'authentication-skip-lookup': boolFlag(false, 'Do not take the authorities of clients from the cluster'),
  'authentication-token-webhook-cache-ttl': durationFlag(10_000, 'How long it is known whom a bearer token stands for'),
  'authentication-tolerate-lookup-failure': boolFlag(true, 'Serve also while the authorities of clients cannot be looked up'),
  'authorization-always-allow-paths': listFlag(
    ['/healthz', '/readyz', '/livez'],
    'Paths that are served without authorization; a trailing * matches any suffix',
  ),
  'cert-dir': stringFlag('', 'Where a certificate is kept that is made for want of --tls-cert-file; default: in memory', {
    valueName: 'folder',
  }),
  'authorization-kubeconfig': stringFlag('', 'Kubeconfig of the API server for SubjectAccessReviews', file),
  'authorization-webhook-cache-authorized-ttl': durationFlag(10_000, 'How long allowed authorizations are cached'),
  'authorization-webhook-cache-unauthorized-ttl': durationFlag(10_000, 'How long denied authorizations are cached'),
  'client-ca-file': stringFlag('', "Authorities that sign clients' certificates; where absent, those of the cluster", file),
  'requestheader-allowed-names': listFlag([], 'Common names of front proxies that are believed; none believes all of their authority'),
  'requestheader-client-ca-file': stringFlag(
    '',
    "Authorities that sign front proxies' certificates; where absent, those of the cluster",
    file,
  ),
  'requestheader-extra-headers-prefix': listFlag(
    ['x-remote-extra-'],
    'Accepted for compatibility: what else is said of users is not passed on',
  ),
  'requestheader-group-headers': listFlag(['x-remote-group'], 'Headers by which a front proxy says the groups of a user'),
  'requestheader-uid-headers': listFlag([], 'Headers by which a front proxy says the uid of a user'),
  'requestheader-username-headers': listFlag(['x-remote-user'], 'Headers by which a front proxy says who a user is'),
};

export interface ComponentPortOptions {
  /** '' disables it. */
  readonly authenticationKubeconfig: string;
  readonly authorizationKubeconfig: string;
  readonly openPaths: readonly string[];
  readonly ttls: { readonly tokenMs: number; readonly allowedMs: number; readonly deniedMs: number };
  readonly trust: TrustFiles;
}

export function componentPortOptions(values: FlagValues<typeof componentPortFlags>): ComponentPortOptions {
  return {
    authenticationKubeconfig: values['authentication-kubeconfig'],
    authorizationKubeconfig: values['authorization-kubeconfig'],
    openPaths: values['authorization-always-allow-paths'],
    ttls: {
      tokenMs: values['authentication-token-webhook-cache-ttl'],
      allowedMs: values['authorization-webhook-cache-authorized-ttl'],
      deniedMs: values['authorization-webhook-cache-unauthorized-ttl'],
    },
    trust: {
      clientCaFile: values['client-ca-file'],
      frontProxyCaFile: values['requestheader-client-ca-file'],
      looksUp: !values['authentication-skip-lookup'],
      names: {
        allowedNames: values['requestheader-allowed-names'],
        usernameHeaders: values['requestheader-username-headers'],
        uidHeaders: values['requestheader-uid-headers'],
        groupHeaders: values['requestheader-group-headers'],
      },
    },
  };
}

interface ComponentPortDeps {
  /** Of the component that serves the port. */
  readonly component: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Decides about requests. Without `--authorization-kubeconfig` there is nothing to decide by: `guard` is undefined. */
export class ComponentPort implements AsyncDisposable {
  readonly guard: ((request: IncomingMessage) => Promise<Answer | undefined>) | undefined;
  readonly #clients = new Map<string, Client & AsyncDisposable>();

  /** `signal` is the component's life. */
  constructor(options: ComponentPortOptions, deps: ComponentPortDeps, signal: AbortSignal) {
    const { authenticationKubeconfig, authorizationKubeconfig, openPaths, ttls, trust: files } = options;
    if (authorizationKubeconfig === '') return;
    const authentication = authenticationKubeconfig === '' ? undefined : this.#client(authenticationKubeconfig, deps);
    const authorization = this.#client(authorizationKubeconfig, deps);
    const access = new DelegatedAccess({ authentication: authentication ?? authorization, authorization, clock: deps.clock }, ttls);
    const gate: Gate = {
      access,
      trust: new ClientTrust(files, authentication, deps),
      knowsTokens: authentication !== undefined,
      openPaths,
      ...deps,
    };
    this.guard = (request) => refusalOf(request, gate, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values()) await client[Symbol.asyncDispose]();
  }

  #client(path: string, { clock, component }: ComponentPortDeps): Client {
    const known = this.#clients.get(path) ?? connect(findEndpoint({ path, env: {} }), { clock, component });
    this.#clients.set(path, known);
    return known;
  }
}

interface Gate extends ComponentPortDeps {
  readonly access: DelegatedAccess;
  readonly trust: ClientTrust;
  readonly knowsTokens: boolean;
  readonly openPaths: readonly string[];
}

/** Undefined for whom the path is. */
async function refusalOf(request: IncomingMessage, gate: Gate, signal: AbortSignal): Promise<Answer | undefined> {
  const [path = '/'] = (request.url ?? '/').split('?');
  if (gate.openPaths.some((open) => (open.endsWith('*') ? path.startsWith(open.slice(0, -1)) : path === open))) return undefined;
  const verb = (request.method ?? 'GET').toLowerCase();
  try {
    const visitor = await identify(request, gate, signal);
    if (visitor === undefined) return statusAnswer(new ApiError({ reason: 'Unauthorized', message: 'Unauthorized' }));
    // Whoever may do anything is not asked about, so that administrators get in even while reviews fail.
    if (visitor.groups.includes('system:masters')) return undefined;
    if (await gate.access.isAllowed(visitor, { kind: 'path', verb, path }, signal)) return undefined;
    const message = `forbidden: User ${JSON.stringify(visitor.name)} cannot ${verb} path ${JSON.stringify(path)}`;
    return statusAnswer(new ApiError({ reason: 'Forbidden', message, details: {} }));
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    gate.log.warn({ err: error, path }, 'whether a request is allowed cannot be found out');
    return { status: 500, text: `Internal Server Error: ${JSON.stringify(path)}: ${String(error)}\n` };
  }
}

/** Undefined for an invalid token; a client without credentials is anonymous. */
async function identify(request: IncomingMessage, gate: Gate, signal: AbortSignal): Promise<Visitor | undefined> {
  const byCertificate = visitorByCertificate(request, request.socket as TLSSocket, await gate.trust.current(signal), gate.clock.nowMs());
  if (byCertificate !== undefined) return byCertificate;
  const token = bearerToken(request.headers.authorization);
  if (token === undefined) return anonymous;
  if (!gate.knowsTokens) return undefined;
  try {
    const visitor = await gate.access.visitorOf(token, signal);
    return visitor === undefined || visitor.groups.includes(everyUser) ? visitor : { ...visitor, groups: [...visitor.groups, everyUser] };
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    gate.log.warn({ err: error }, 'whose token a request brought cannot be found out');
    return undefined;
  }
}

function statusAnswer(error: ApiError): Answer {
  return { status: error.code, text: `${JSON.stringify(error.toStatus())}\n`, contentType: 'application/json' };
}
