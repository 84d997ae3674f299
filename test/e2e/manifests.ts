// Small manifests with valid defaults.

/** A pod of `coxswain/busybox:1`, or of the containers given. */
export function podManifest(name: string, { metadata = {}, ...spec }: { metadata?: object; [field: string]: unknown } = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name }, ...metadata },
    spec: { terminationGracePeriodSeconds: 1, containers: [busybox('main')], ...spec },
  };
}

/** A container of the shell image; by default it waits until it is told to end. */
export function busybox(name: string, rest: object = {}): object {
  return { name, image: 'coxswain/busybox:1', command: ['sh', '-c', waits], ...rest };
}

/** Shell text that waits and ends at once on SIGTERM. */
export const waits = 'trap exit TERM; sleep 100000 & wait';

export function serviceManifest(name: string, spec: object, metadata: object = {}): object {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, ...metadata }, spec: { selector: { app: name }, ...spec } };
}

export function deploymentManifest(name: string, replicas: number, container: object = {}, podSpec: object = {}): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'hello', image: 'coxswain/hello:1', ...container }], ...podSpec },
      },
    },
  };
}

const flags = (values: Readonly<Record<string, string>>): object => ({
  extraArgs: Object.entries(values).map(([name, value]) => ({ name, value })),
});

/** Fields of kubeadm's ClusterConfiguration by which pods of a lost worker are soon replaced: those of docs/guides/fast-failover.md. */
export const fastFailover = {
  apiServer: flags({ 'default-not-ready-toleration-seconds': '5', 'default-unreachable-toleration-seconds': '5' }),
  controllerManager: flags({ 'node-monitor-period': '2s', 'node-monitor-grace-period': '16s', 'node-eviction-rate': '1' }),
};
