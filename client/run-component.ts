// What every component has that works for the whole cluster: a client, events, a port for health and figures, and a lease where several run.
import { hostname } from 'node:os';
import type { Clock } from '#base/clock.ts';
import { HealthServer } from '#base/health-server.ts';
import { runServices, type Service } from '#base/lifecycle.ts';
import type { Log, LogLevelSwitch } from '#base/log.ts';
import { DebugPages } from '#base/profiling/debug-pages.ts';
import { createMetrics, type Metrics } from '#base/metrics.ts';
import { keptServerCertificate, ownServerCertificate } from '#base/own-certificate.ts';
import type { KeyPair } from '#base/pki.ts';
import { processMetrics } from '#base/process-metrics.ts';
import { version } from '#base/version.ts';
import { AccountClients } from './accounts/account-clients.ts';
import type { Client } from './client.ts';
import { ClientMetrics } from './client-metrics.ts';
import type { ClusterCache } from './cluster-cache.ts';
import { ComponentPort, type ComponentPortOptions } from './component-port.ts';
import type { ApiEndpoint } from './endpoint.ts';
import { EventSender } from './events.ts';
import { reportFeatureGates } from './feature-gates/feature-gates.ts';
import { LeaderGate, type LeaderOptions } from './leader-election.ts';
import { connect } from './rest.ts';

interface ComponentConfig {
  readonly api: ApiEndpoint;
  readonly host: string;
  /** 0 serves nothing. */
  readonly port: number;
  /** Undefined: make one. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Where a certificate that is made is kept; undefined: nowhere. */
  readonly certFolder: string | undefined;
  /** Who may ask for what at the port. */
  readonly visitors: ComponentPortOptions;
  /** Undefined works without a lease. */
  readonly leader: LeaderOptions | undefined;
  /** Whether profiles of the process can be had at the port. */
  readonly hasProfiles: boolean;
  /** Values of all flags by their names, for /flagz. */
  readonly flags: Readonly<Record<string, string>>;
  /** Each part comes to the API server as an account of its own. */
  readonly usesAccounts?: boolean;
}

interface ComponentDeps {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly logLevel: LogLevelSwitch;
  /** The command line, without the program. */
  readonly argv: readonly string[];
}

/** What a component's own work is made with. */
interface ComponentTools {
  readonly client: Client;
  /** The account of one part; undefined where all come as one. */
  readonly clientFor: ((part: string) => Client) | undefined;
  readonly sender: EventSender;
  readonly metrics: Metrics;
}

interface ComponentWork {
  /** The process is ready once it has synced. */
  readonly cluster: ClusterCache;
  /** What only the leader does. */
  readonly work: Service;
  /** Figures that are read by themselves, by their paths. */
  readonly moreMetrics?: Readonly<Record<string, Metrics>>;
  /** Who its events about leading come from; default its name. */
  readonly eventSource?: string;
}

/** Runs a component until `signal` aborts. */
export async function runComponent(
  component: string,
  config: ComponentConfig,
  { signal, clock, log, logLevel, argv }: ComponentDeps,
  build: (tools: ComponentTools) => ComponentWork,
): Promise<void> {
  const { api, leader, port } = config;
  const metrics = createMetrics();
  processMetrics(metrics);
  reportFeatureGates(config.flags['feature-gates'] ?? '', { metrics, log });
  const clientMetrics = new ClientMetrics(metrics);
  await using client = connect(api, { clock, component, version, metrics: clientMetrics });
  await using accounts = new AccountClients({ api, component, client, clock, version, metrics: clientMetrics });
  const sender = new EventSender({ client, clock, log });
  const clientFor = config.usesAccounts === true ? (part: string) => accounts.clientFor(part) : undefined;
  const { cluster, work, eventSource = component, moreMetrics = {} } = build({ client, clientFor, sender, metrics });
  await using visitors = new ComponentPort(config.visitors, { component, clock, log }, signal);
  const health = new HealthServer({
    host: config.host,
    port,
    tls: config.tls ?? (await madeCertificate(component, config, clock)),
    metrics,
    moreMetrics,
    guard: visitors.guard,
    metricsTo: 'this host',
    debug: new DebugPages({ clock, logLevel, hasProfiles: config.hasProfiles, argv: [component, ...argv] }),
    about: { component, flags: config.flags },
    ready: () => cluster.hasSynced || `waiting for caches: ${cluster.waitingFor.join(', ')}`,
  });
  const gate =
    leader === undefined ? work : new LeaderGate(work, leader, { client, clock, log, metrics, events: sender.recorder(eventSource) });
  await runServices(signal, [...(port === 0 ? [] : [health]), sender, cluster, gate], () => log.info({ version }, 'running'));
}

async function madeCertificate(component: string, { certFolder }: ComponentConfig, clock: Clock): Promise<KeyPair> {
  const make = (): Promise<KeyPair> => ownServerCertificate(hostname(), clock.nowMs());
  return certFolder === undefined ? await make() : await keptServerCertificate({ folder: certFolder, name: component }, make);
}
