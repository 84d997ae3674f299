import { hostname } from 'node:os';
import { systemClock as clock } from '#base/clock.ts';
import { HealthServer } from '#base/health-server.ts';
import { runMain, runServices, UsageError } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { createMetrics } from '#base/metrics.ts';
import { ownServerCertificate } from '#base/own-certificate.ts';
import { processMetrics } from '#base/process-metrics.ts';
import { version } from '#base/version.ts';
import { reasonOf } from '#base/write-file.ts';
import { AccountClients } from '#client/accounts/account-clients.ts';
import { ClientMetrics } from '#client/client-metrics.ts';
import { ComponentPort } from '#client/component-port.ts';
import { EventSender } from '#client/events.ts';
import { LeaderGate } from '#client/leader-election.ts';
import { connect } from '#client/rest.ts';
import { PlainCloud } from './cloud/plain-cloud.ts';
import { cloudControllerManager } from './cloud-controller-manager.ts';
import { type CloudConfig, parseConfig } from './config.ts';

const component = 'cloud-controller-manager';

await runMain(component, async ({ argv, env, signal, log }) => {
  const config = parseConfig(argv, env);
  const cloud = openCloud(config, log);
  const metrics = createMetrics();
  processMetrics(metrics);
  const clientMetrics = new ClientMetrics(metrics);
  await using client = connect(config.api, { clock, component, version, metrics: clientMetrics });
  await using accounts = new AccountClients({ api: config.api, component, client, clock, version, metrics: clientMetrics });
  const clientFor = config.usesAccounts ? (controller: string) => accounts.clientFor(controller) : undefined;
  const sender = new EventSender({ client, clock, log });
  const events = (source: string): ReturnType<EventSender['recorder']> => sender.recorder(source);
  const { cluster, loops } = cloudControllerManager({ ...config, cloud, client, clientFor, events, clock, log, metrics });
  await using visitors = new ComponentPort(config.visitors, { component, clock, log }, signal);
  const health = new HealthServer({
    host: config.host,
    port: config.port,
    tls: config.tls ?? (await ownServerCertificate(hostname(), clock.nowMs())),
    metrics,
    guard: visitors.guard,
    metricsTo: 'this host',
    about: { component: component, flags: config.flags },
    ready: () => cluster.hasSynced || `waiting for caches: ${cluster.waitingFor.join(', ')}`,
  });
  const gate =
    config.leader === undefined
      ? loops
      : new LeaderGate(loops, config.leader, { client, clock, log, metrics, events: sender.recorder(component) });
  await runServices(signal, [...(config.port === 0 ? [] : [health]), sender, cluster, gate], () => log.info({ version }, 'running'));
});

function openCloud({ cloudConfig }: CloudConfig, log: Log): PlainCloud {
  try {
    return new PlainCloud(cloudConfig, log);
  } catch (error) {
    throw new UsageError(`--cloud-config=${cloudConfig}: ${reasonOf(error)}`, { cause: error });
  }
}
