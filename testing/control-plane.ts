// The controllers and the scheduler of an in-process cluster.
import type { TestApiServer } from '#apiserver/testing.ts';
import type { Clock } from '#base/clock.ts';
import { runServices } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { createMetrics } from '#base/metrics.ts';
import { AccountClients } from '#client/accounts/account-clients.ts';
import { ClusterCache } from '#client/cluster-cache.ts';
import { EventSender } from '#client/events.ts';
import { connect } from '#client/rest.ts';
import { controllerManager } from '#controller-manager/controller-manager.ts';
import { defaultBinder } from '#scheduler/plugins/default-binder.ts';
import { defaultProfile } from '#scheduler/plugins/default-profile.ts';
import { schedulerMetrics } from '#scheduler/metrics.ts';
import { Scheduler, schedulerKinds } from '#scheduler/scheduler.ts';

export interface ControlPlaneDeps {
  readonly api: TestApiServer;
  readonly clock: Clock;
  readonly log: Log;
}

/** Runs them until `signal` aborts, each under its own identity with the same RBAC rules as in production. */
export async function runControlPlane({ api, clock, log }: ControlPlaneDeps, signal: AbortSignal): Promise<void> {
  const controllers = { component: 'kube-controller-manager', clock };
  const endpoint = await api.clientConfigFor('system:kube-controller-manager');
  await using client = connect(endpoint, controllers);
  await using accounts = new AccountClients({ ...controllers, api: endpoint, client });
  const sender = new EventSender({ client, clock, log });
  const { cluster, loops } = controllerManager({
    client,
    clientFor: (controller) => accounts.clientFor(controller),
    events: (name) => sender.recorder(name),
    rootCa: api.ca.cert,
    clock,
    log,
  });
  await using binder = connect(await api.clientConfigFor('system:kube-scheduler'), { clock, component: 'kube-scheduler' });
  const schedulerEvents = new EventSender({ client: binder, clock, log });
  const profile = defaultProfile([defaultBinder(binder)]);
  const nodesAndPods = new ClusterCache(schedulerKinds, { client: binder, clock, log });
  const scheduler = new Scheduler({
    client: binder,
    cluster: nodesAndPods,
    profile,
    events: schedulerEvents.actionRecorder(profile.schedulerName),
    clock,
    log,
    metrics: (queue) => schedulerMetrics(createMetrics(), profile.schedulerName, queue),
  });
  await runServices(signal, [sender, cluster, loops, schedulerEvents, nodesAndPods, scheduler]);
}
