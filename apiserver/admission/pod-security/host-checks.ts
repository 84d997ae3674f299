// What pods may have of their host: namespaces, paths, ports, and names to probe.
import type { V1LifecycleHandler, V1PodSpec, V1Probe } from '#api/generated/types.ts';
import { type AnyContainer, type Check, containersOf, containersText, plural, quoted, sortedSet, type Violation } from './check.ts';

export const hostNamespaces: Check = {
  id: 'hostNamespaces',
  level: 'baseline',
  versions: [
    {
      since: 0,
      check: ({ hostNetwork, hostPID, hostIPC }) => {
        const shared = Object.entries({ hostNetwork, hostPID, hostIPC }).filter(([, isShared]) => isShared === true);
        if (shared.length === 0) return undefined;
        return { reason: 'host namespaces', detail: shared.map(([name]) => `${name}=true`).join(', ') };
      },
    },
  ],
};

export const hostPathVolumes: Check = {
  id: 'hostPathVolumes',
  level: 'baseline',
  versions: [
    {
      since: 0,
      check: ({ volumes = [] }) => {
        const names = volumes.filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name);
        if (names.length === 0) return undefined;
        return { reason: 'hostPath volumes', detail: `${plural(names.length, 'volume', 'volumes')} ${quoted(names)}` };
      },
    },
  ],
};

export const hostPorts: Check = {
  id: 'hostPorts',
  level: 'baseline',
  versions: [{ since: 0, check: checkHostPorts }],
};

function checkHostPorts(spec: V1PodSpec): Violation | undefined {
  const used = containersOf(spec).map(({ name, ports = [] }) => ({
    name,
    hostPorts: ports.flatMap(({ hostPort = 0 }) => (hostPort === 0 ? [] : [String(hostPort)])),
  }));
  const bad = used.filter((one) => one.hostPorts.length > 0);
  if (bad.length === 0) return undefined;
  const numbers = sortedSet(bad.flatMap((one) => one.hostPorts));
  const who = containersText(bad.map(({ name }) => name));
  const uses = plural(bad.length, 'uses', 'use');
  return { reason: 'hostPort', detail: `${who} ${uses} ${plural(numbers.length, 'hostPort', 'hostPorts')} ${numbers.join(', ')}` };
}

export const hostProbesAndHostLifecycle: Check = {
  id: 'hostProbesAndHostLifecycle',
  level: 'baseline',
  versions: [{ since: 34, check: checkHandlerHosts }],
};

function checkHandlerHosts(spec: V1PodSpec): Violation | undefined {
  const used = containersOf(spec).map((container) => ({ name: container.name, hosts: handlerHosts(container) }));
  const bad = used.filter(({ hosts }) => hosts.length > 0);
  if (bad.length === 0) return undefined;
  const hosts = sortedSet(bad.flatMap((one) => one.hosts));
  const names = sortedSet(bad.map(({ name }) => name));
  const what = plural(hosts.length, 'probe or lifecycle host', 'probe or lifecycle hosts');
  const uses = plural(names.length, 'uses', 'use');
  return { reason: 'probe or lifecycle host', detail: `${containersText(names)} ${uses} ${what} ${quoted(hosts)}` };
}

/** Hosts other than the pod itself that its probes and hooks talk to. */
function handlerHosts({ livenessProbe, readinessProbe, startupProbe, lifecycle }: AnyContainer): string[] {
  const handlers: (V1Probe | V1LifecycleHandler | undefined)[] = [
    livenessProbe,
    readinessProbe,
    startupProbe,
    lifecycle?.postStart,
    lifecycle?.preStop,
  ];
  return handlers
    .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
    .filter((host): host is string => host !== undefined && host !== '');
}
