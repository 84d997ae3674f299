import type { Pod } from '#api/core/pod/pod.ts';
import type { Service } from '#api/core/service/service.ts';
import type { DiscoveryV1EndpointPort, V1Endpoint } from '#api/generated/types.ts';
import { isReady } from '../pods/pod-state.ts';
import { addressOf, podPort, publishedHostname } from './service-pods.ts';
import { hintsFor } from './traffic-distribution.ts';

/** The endpoint that a reachable pod is for a Service. */
export function endpointOf(pod: Pod, owner: Service, zone: string | undefined): V1Endpoint {
  const { metadata, spec } = pod;
  const serving = isReady(pod);
  const terminating = metadata.deletionTimestamp !== undefined;
  const hostname = publishedHostname(pod, owner);
  const endpoint: V1Endpoint = {
    addresses: [addressOf(pod) ?? ''],
    // A pod that is going is never ready, so that those who know only `ready` leave it alone.
    conditions: { ready: owner.spec.publishNotReadyAddresses === true || (serving && !terminating), serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    ...(spec.nodeName === undefined ? {} : { nodeName: spec.nodeName }),
    targetRef: {
      kind: 'Pod',
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      name: metadata.name ?? '',
      uid: metadata.uid ?? '',
    },
    ...(zone === undefined ? {} : { zone }),
  };
  const hints = hintsFor(owner, endpoint);
  return hints === undefined ? endpoint : { ...endpoint, hints };
}

/** The ports on which a pod serves a Service; those that it has no port of that name for are left out. */
export function portsOf(pod: Pod, { spec }: Service): DiscoveryV1EndpointPort[] {
  return (spec.ports ?? []).flatMap((port) => {
    const number = podPort(pod, port);
    if (number === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = port;
    return [{ name, port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

export function samePorts(a: readonly DiscoveryV1EndpointPort[], b: readonly DiscoveryV1EndpointPort[]): boolean {
  return portsText(a) === portsText(b);
}

/** Equal for equal ports in any order. */
export function portsText(ports: readonly DiscoveryV1EndpointPort[]): string {
  return ports
    .map(({ name = '', port = '', protocol = 'TCP', appProtocol = '' }) => `${name} ${port} ${protocol} ${appProtocol}`)
    .toSorted()
    .join(',');
}
