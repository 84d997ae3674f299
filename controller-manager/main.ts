import { hostname } from 'node:os';
import { systemClock as clock } from '#base/clock.ts';
import { HealthServer } from '#base/health-server.ts';
import { runMain, runServices } from '#base/lifecycle.ts';
import { createMetrics } from '#base/metrics.ts';
import { ownServerCertificate } from '#base/own-certificate.ts';
import { processMetrics } from '#base/process-metrics.ts';
import { version } from '#base/version.ts';
import { ClientMetrics } from '#client/client-metrics.ts';
import { EventSender } from '#client/events.ts';
import { LeaderGate } from '#client/leader-election.ts';
import { ComponentPort } from '#client/component-port.ts';
import { connect } from '#client/rest.ts';
import { AccountClients } from '#client/accounts/account-clients.ts';
import { parseConfig } from './config.ts';
import { controllerManager } from './controller-manager.ts';

await runMain('kube-controller-manager', async ({ argv, env, signal, log }) => {
  const config = parseConfig(argv, env);
  const metrics = createMetrics();
  processMetrics(metrics);
  const clientMetrics = new ClientMetrics(metrics);
  await using client = connect(config.api, { clock, component: 'kube-controller-manager', version, metrics: clientMetrics });
  await using accounts = new AccountClients({
    api: config.api,
    component: 'kube-controller-manager',
    client,
    clock,
    version,
    metrics: clientMetrics,
  });
  const clientFor = config.usesAccounts ? (controller: string) => accounts.clientFor(controller) : undefined;
  const sender = new EventSender({ client, clock, log });
  const { cluster, loops } = controllerManager({
    ...config,
    client,
    clientFor,
    events: (name) => sender.recorder(name),
    clock,
    log,
    metrics,
  });
  await using visitors = new ComponentPort(config.visitors, { component: 'kube-controller-manager', clock, log }, signal);
  const health = new HealthServer({
    host: config.host,
    port: config.port,
    tls: config.tls ?? (await ownServerCertificate(hostname(), clock.nowMs())),
    metrics,
    guard: visitors.guard,
    metricsTo: 'this host',
    about: { component: 'kube-controller-manager', flags: config.flags },
    ready: () => cluster.hasSynced || `waiting for caches: ${cluster.waitingFor.join(', ')}`,
  });
  const gate =
    config.leader === undefined
      ? loops
      : new LeaderGate(loops, config.leader, { client, clock, log, metrics, events: sender.recorder('kube-controller-manager') });
  await runServices(signal, [...(config.port === 0 ? [] : [health]), sender, cluster, gate], () => log.info({ version }, 'running'));
});
