// The manifests that this kubeadm would write for a host that is a control plane already.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { localEtcd } from '../certs/certificates.ts';
import { controlPlanePods } from '../init/control-plane-phases.ts';
import type { NodeJob } from '../init/phase.ts';
import type { Argument } from '../config/cluster.ts';
import { proxyPod } from '../manifests/add-ons.ts';
import { commandLine } from '../manifests/arguments.ts';
import type { ComponentPod } from '../manifests/component-pod.ts';
import { type EtcdMember, etcdPod, type EtcdVersion } from '../manifests/components.ts';
import { commandOf } from './static-pods.ts';

/** etcd first, if it is ours and another version is installed than the manifest says; then what needs it. */
export function newPods({ config, folders, shown }: NodeJob, installedEtcd: EtcdVersion | undefined): readonly ComponentPod[] {
  const path = join(folders.manifests, 'etcd.yaml');
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const isNewer = installedEtcd !== undefined && !old.includes(`/etcd:3.${installedEtcd.minor}.${installedEtcd.patch}\n`);
  const etcd =
    localEtcd(config) !== undefined && old !== '' && isNewer ? [etcdPod(config, shown, othersIn(commandOf(old)), installedEtcd)] : [];
  return [...etcd, ...controlPlanePods(config, shown, folders)];
}

/** The members in an etcd's configuration when it joined. A member that has its place does not heed it, and keeps the words. */
export function othersIn(command: readonly string[]): readonly EtcdMember[] {
  const valueOf = (flag: string): string => command.find((word) => word.startsWith(`--${flag}=`))?.slice(flag.length + 3) ?? '';
  const own = valueOf('name');
  return valueOf('initial-cluster')
    .split(',')
    .map((pair) => ({ name: pair.slice(0, pair.indexOf('=')), peerUrl: pair.slice(pair.indexOf('=') + 1) }))
    .filter(({ name }) => name !== '' && name !== own);
}

/** kube-proxy's manifest anew. It has no configuration elsewhere, so flags that people gave it stay. */
export function newProxyPod({ config, folders, shown }: NodeJob): ComponentPod {
  const path = join(folders.manifests, 'kube-proxy.yaml');
  const pod = proxyPod(config, shown);
  const [fresh, old] = [
    pod.command.slice(1).map(argumentOf),
    existsSync(path) ? commandOf(readFileSync(path, 'utf8')).slice(1).map(argumentOf) : [],
  ];
  const kept = old.filter(({ name }) => !fresh.some((one) => one.name === name));
  return { ...pod, command: commandLine(pod.name, {}, [...fresh, ...kept]) };
}

function argumentOf(word: string): Argument {
  const [, name = '', value = 'true'] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
  return { name, value };
}
