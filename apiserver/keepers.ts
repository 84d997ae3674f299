// What makes, follows and repairs the objects that the server itself needs, wired.
import { hostname } from 'node:os';
import type { Service } from '#base/lifecycle.ts';
import type { EventSender } from '#client/events.ts';
import { publishedTrust } from './authn/published-trust.ts';
import { initialConfiguration } from './flowcontrol/initial-configuration.ts';
import type { Listener } from './http/listener.ts';
import type { Registry } from './registry/contract.ts';
import { Bootstrap } from './services/bootstrap.ts';
import { endedServers, identityLease, tokenTracking } from './services/server-identity.ts';
import { ServerLeases } from './services/server-leases.ts';
import { DefaultServiceRange, rangeKeeperName } from './services/default-service-range.ts';
import type { StartHooks } from './services/start-hooks.ts';
import { LocalApiServices } from './services/local-api-services.ts';
import type { ClusterIpClaims } from './services/cluster-ip-claims.ts';
import { clusterIpRepair } from './services/cluster-ip-repair.ts';
import { nodePortRepair } from './services/node-port-repair.ts';
import { serviceRangeFeed } from './services/service-range-feed.ts';
import { servicePoolFeed } from './services/service-pool-feed.ts';
import type { ServicePools } from './services/service-pools.ts';
import { shownOf } from './request-parts.ts';
import type { ApiServerDeps, ServerState } from './server.ts';

interface ServiceParts {
  readonly pools: ServicePools;
  readonly claims: ClusterIpClaims;
}

/** What follows and repairs the addresses and ports of Services. */
export function serviceKeepers(
  { settings, store, clock, log }: ApiServerDeps,
  registry: Registry,
  { pools, claims, sender, hooks }: ServiceParts & { readonly sender: EventSender; readonly hooks: StartHooks },
): readonly Service[] {
  const { serviceIps: ipRange, nodePorts: range } = settings;
  const addresses = { registry, events: sender.actionRecorder('ipallocator-repair-controller'), clock, log };
  const ports = { store, registry, range, events: sender.actionRecorder('portallocator-repair-controller'), clock, log };
  const repairs = [...nodePortRepair(ports), ...clusterIpRepair(addresses)];
  return [
    sender,
    ...serviceRangeFeed({ pools, registry, ipRange, clock, log }),
    servicePoolFeed({ pools, claims, registry, clock, log }),
    ...repairs.map((repair) => hooks.of(repair, 'start-service-ip-repair-controllers')),
  ];
}

interface KeeperParts {
  readonly listener: Listener;
  readonly state: ServerState;
  readonly sender: EventSender;
  readonly hooks: StartHooks;
}

/** What makes and repairs the objects that the server itself needs in its store. */
export function objectKeepers(
  { settings, store, clock, log }: ApiServerDeps,
  registry: Registry,
  { listener, state, sender, hooks }: KeeperParts,
): readonly Service[] {
  const ranges = { registry: () => registry, ipRange: settings.serviceIps, events: sender.recorder(rangeKeeperName), clock };
  const bootstrap = new Bootstrap({
    registry: () => registry,
    ipRange: settings.serviceIps,
    serviceRange: new DefaultServiceRange(ranges),
    leases: new ServerLeases({ store }),
    trust: () => publishedTrust(state.certificates.authentication),
    advertise: () => ({ address: settings.advertiseAddress, port: listener.port }),
    clock,
    log,
  });
  const local = new LocalApiServices({ registry: () => registry, kinds: shownOf(settings, registry), clock, log });
  const identity = { registry, hostname: hostname(), clock, log };
  return [
    hooks.of(
      bootstrap,
      'start-system-namespaces-controller',
      'start-cluster-authentication-info-controller',
      'scheduling/bootstrap-system-priority-classes',
      'bootstrap-controller',
      'start-kubernetes-service-cidr-controller',
    ),
    hooks.of(local, 'kube-apiserver-autoregistration', 'autoregister-completion'),
    hooks.of(initialConfiguration({ registry, clock, log }), 'priority-and-fairness-config-producer'),
    hooks.of(identityLease(identity), 'start-kube-apiserver-identity-lease-controller'),
    hooks.of(endedServers(identity), 'start-kube-apiserver-identity-lease-garbage-collector'),
    hooks.of(tokenTracking(identity), 'start-legacy-token-tracking-controller'),
  ];
}
