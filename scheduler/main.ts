import { type Pod, pod } from '#api/core/pod/pod.ts';
import { systemClock as clock } from '#base/clock.ts';
import { runMain } from '#base/lifecycle.ts';
import { ClusterCache } from '#client/cluster-cache.ts';
import { runComponent } from '#client/run-component.ts';
import { parseConfig } from './config.ts';
import { schedulerMetrics } from './metrics.ts';
import { podResourceMetrics } from './pod-resource-metrics.ts';
import { defaultBinder } from './plugins/default-binder.ts';
import { defaultProfile } from './plugins/default-profile.ts';
import { Scheduler, schedulerKinds } from './scheduler.ts';

const component = 'kube-scheduler';

await runMain(component, async ({ argv, env, signal, log, logLevel }) => {
  const config = parseConfig(argv, env);
  await runComponent(component, config, { signal, clock, log, logLevel, argv }, ({ client, sender, metrics }) => {
    const cluster = new ClusterCache(schedulerKinds, { client, clock, log });
    const profile = defaultProfile([defaultBinder(client)]);
    const work = new Scheduler({
      client,
      cluster,
      profile,
      events: sender.actionRecorder(profile.schedulerName),
      clock,
      log,
      maxUnschedulableMs: config.maxUnschedulableMs,
      metrics: (queue) => schedulerMetrics(metrics, profile.schedulerName, queue),
    });
    const resources = podResourceMetrics(() => cluster.list<Pod>(pod));
    return { cluster, work, eventSource: profile.schedulerName, moreMetrics: { '/metrics/resources': resources } };
  });
});
