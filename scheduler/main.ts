import { hostname } from 'node:os';
import { systemClock as clock } from '#base/clock.ts';
import { HealthServer } from '#base/health-server.ts';
import { runMain, runServices } from '#base/lifecycle.ts';
import { createMetrics } from '#base/metrics.ts';
import { ownServerCertificate } from '#base/own-certificate.ts';
import { processMetrics } from '#base/process-metrics.ts';
import { version } from '#base/version.ts';
import { ClusterCache } from '#client/cluster-cache.ts';
import { ClientMetrics } from '#client/client-metrics.ts';
import { EventSender } from '#client/events.ts';
import { LeaderGate } from '#client/leader-election.ts';
import { ComponentPort } from '#client/component-port.ts';
import { connect } from '#client/rest.ts';
import { parseConfig } from './config.ts';
import { schedulerMetrics } from './metrics.ts';
import { defaultBinder } from './plugins/default-binder.ts';
import { defaultProfile } from './plugins/default-profile.ts';
import { Scheduler, schedulerKinds } from './scheduler.ts';

await runMain('kube-scheduler', async ({ argv, env, signal, log }) => {
  const config = parseConfig(argv, env);
  const metrics = createMetrics();
  processMetrics(metrics);
  await using client = connect(config.api, { clock, component: 'kube-scheduler', version, metrics: new ClientMetrics(metrics) });
  const cluster = new ClusterCache(schedulerKinds, { client, clock, log });
  const sender = new EventSender({ client, clock, log });
  const profile = defaultProfile([defaultBinder(client)]);
  const scheduler = new Scheduler({
    client,
    cluster,
    profile,
    events: sender.actionRecorder(profile.schedulerName),
    clock,
    log,
    maxUnschedulableMs: config.maxUnschedulableMs,
    metrics: (queue) => schedulerMetrics(metrics, profile.schedulerName, queue),
  });
  await using visitors = new ComponentPort(config.visitors, { component: 'kube-scheduler', clock, log }, signal);
  const health = new HealthServer({
    host: config.host,
    port: config.port,
    tls: config.tls ?? (await ownServerCertificate(hostname(), clock.nowMs())),
    metrics,
    guard: visitors.guard,
    metricsTo: 'this host',
    about: { component: 'kube-scheduler', flags: config.flags },
    ready: () => cluster.hasSynced || `waiting for caches: ${cluster.waitingFor.join(', ')}`,
  });
  const gate =
    config.leader === undefined
      ? scheduler
      : new LeaderGate(scheduler, config.leader, { client, clock, log, metrics, events: sender.recorder('default-scheduler') });
  await runServices(signal, [...(config.port === 0 ? [] : [health]), sender, cluster, gate], () => log.info({ version }, 'running'));
});
