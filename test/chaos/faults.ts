// What may happen to the hosts of a cluster, and how each is over again.
import { until } from '#test/e2e/cluster.ts';
import type { Fleet } from '#test/testbed/fleet.ts';
import type { Host } from '#test/testbed/host.ts';

export interface Fault {
  readonly name: string;
  /** Lets it happen, and answers how it ends. */
  readonly begin: (fleet: Fleet, host: string) => Promise<() => Promise<void> | void>;
}

const nothing = (): void => undefined;

/** Ends a component of a host with SIGKILL; the host's agent starts it again. */
async function killComponent(host: Host, component: string): Promise<void> {
  await host.exec(['bash', '-c', `kill -9 $(sed -E 's/.*"pid":([0-9]+).*/\\1/' /var/lib/coxswain/node/run/${component}.json)`]);
}

async function signalComponent(host: Host, component: string, signal: 'STOP' | 'CONT'): Promise<void> {
  await host.exec(['bash', '-c', `kill -${signal} $(sed -E 's/.*"pid":([0-9]+).*/\\1/' /var/lib/coxswain/node/run/${component}.json)`]);
}

const killed = (component: string): Fault => ({
  name: `${component} is killed`,
  begin: async (fleet, host) => {
    await killComponent(fleet.host(host), component);
    return nothing;
  },
});

const frozen = (component: string): Fault => ({
  name: `${component} stands still`,
  begin: async (fleet, host) => {
    await signalComponent(fleet.host(host), component, 'STOP');
    return () => signalComponent(fleet.host(host), component, 'CONT');
  },
});

/** Whichever host is struck: the one that leads is killed, and it is over when another one leads. */
const activeKilled = (component: string): Fault => ({
  name: `the active ${component} is killed`,
  begin: async (fleet) => {
    const killed = await holderOf(fleet, component);
    const [host = ''] = killed.split('_');
    await killComponent(fleet.host(host), component);
    const leads = async (): Promise<boolean> => ![killed, ''].includes(await holderOf(fleet, component));
    return async () => void (await until(`another ${component} leads`, leads, 60_000));
  },
});

/** Empty where nobody answers. */
async function holderOf(fleet: Fleet, component: string): Promise<string> {
  return (await fleet.kubectl(['get', 'lease', component, '-n', 'kube-system', '-o', 'jsonpath={.spec.holderIdentity}'])).stdout;
}

/** All ways, or one of them. */
const cut: readonly Fault[] = [
  {
    name: 'the cable is cut',
    begin: (fleet, host) => {
      fleet.cut(host);
      return Promise.resolve(() => fleet.heal(host));
    },
  },
  ...(['in', 'out'] as const).map(
    (way): Fault => ({
      name: `nothing goes ${way} by the cable`,
      begin: (fleet, host) => {
        fleet.cutOneWay(host, way);
        return Promise.resolve(() => fleet.heal(host));
      },
    }),
  ),
];

const powerGoes: Fault = {
  name: 'the power goes',
  begin: async (fleet, host) => {
    await fleet.powerOff(host);
    return () => fleet.powerOn(host);
  },
};

/** Of a control plane, one at a time: two of three must be there. */
export const controlPlaneFaults: readonly Fault[] = [
  killed('kube-apiserver'),
  killed('etcd'),
  frozen('kube-apiserver'),
  frozen('etcd'),
  activeKilled('kube-controller-manager'),
  activeKilled('kube-scheduler'),
  ...cut,
  {
    name: 'the cable is long',
    begin: async (fleet, host) => {
      await fleet.makeLong(host, 100);
      return () => fleet.heal(host);
    },
  },
  {
    name: 'the cable loses every fifth packet',
    begin: (fleet, host) => {
      fleet.makeLossy(host, 20);
      return Promise.resolve(() => fleet.heal(host));
    },
  },
  {
    name: 'the cable is slow',
    begin: (fleet, host) => {
      fleet.makeSlow(host, 512);
      return Promise.resolve(() => fleet.heal(host));
    },
  },
  powerGoes,
];

/** Of a worker, while others may take over its pods. */
export const workerFaults: readonly Fault[] = [
  killed('kubelet'),
  frozen('kubelet'),
  ...cut,
  powerGoes,
  {
    name: 'the engine is killed',
    begin: async (fleet, name) => {
      const host = fleet.host(name);
      await host.exec(['bash', '-c', 'kill -9 $(cat /run/docker.pid); while pgrep -x dockerd >/dev/null; do sleep 0.05; done']);
      return () => host.startDocker();
    },
  },
];

/** Of hosts with a disk of their own and a clock that can be moved. */
export const hostFaults: readonly Fault[] = [
  {
    name: 'the disk is full',
    begin: (fleet, host) => fleet.host(host).fillDisk(),
  },
  {
    name: 'the disk fails, and the host is started anew',
    begin: (fleet, host) => {
      fleet.host(host).failDisk();
      return Promise.resolve(async () => {
        await fleet.powerOff(host);
        await fleet.powerOn(host);
      });
    },
  },
  ...[3_600, -3_600].map(
    (seconds): Fault => ({
      name: `the clock is moved by ${seconds} s`,
      begin: (fleet, host) => {
        fleet.host(host).setClock(seconds);
        return Promise.resolve(() => fleet.host(host).setClock(0));
      },
    }),
  ),
];

/** Which host leads etcd at the moment; undefined where none answers. */
export async function etcdLeader(fleet: Fleet, controlPlanes: readonly string[]): Promise<string | undefined> {
  const pki = '/etc/kubernetes/pki/etcd';
  const keys = `--cacert ${pki}/ca.crt --cert ${pki}/healthcheck-client.crt --key ${pki}/healthcheck-client.key`;
  for (const name of controlPlanes) {
    const { code, stdout } = await fleet
      .host(name)
      .exec(['bash', '-c', `curl -s -m 2 ${keys} https://127.0.0.1:2379/v3/maintenance/status -d '{}'`]);
    if (code !== 0) continue;
    const { leader, header } = JSON.parse(stdout) as { leader?: string; header?: { member_id?: string } };
    if (leader !== undefined && leader === header?.member_id) return name;
  }
  return undefined;
}
