// When a local cluster counts as up: the node is Ready, DNS answers, and pods can be made in every namespace that comes with it.
import { createSocket } from 'node:dgram';
import { decode, encode } from 'dns-packet';
import { type Node, node } from '#api/core/node/node.ts';
import { serviceAccount } from '#api/core/service-account.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { Client } from '#client/client.ts';
import { controlPlaneLabel } from './base-objects.ts';
import type { ClusterConfig } from './layout.ts';

/** One condition; answers true, or what is still missing. */
export interface Milestone {
  readonly title: string;
  readonly check: (signal: AbortSignal) => Promise<true | string>;
}

const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** The milestones in the order they are usually reached. */
export function milestones(client: Client, config: ClusterConfig, clock: Clock): readonly Milestone[] {
  return [
    {
      title: 'API server answers',
      check: async (signal) => ((await client.raw('GET', '/readyz', undefined, signal)) === 'ok' ? true : 'not ready'),
    },
    { title: `node ${config.nodeName} is Ready`, check: (signal) => nodeReady(client, config.nodeName, signal) },
    { title: 'default service accounts exist', check: (signal) => accountsExist(client, signal) },
    { title: 'DNS answers', check: (signal) => dnsAnswers(config, clock, signal) },
  ];
}

/** The Ready condition of a node in words. */
export function readyText(object: Node): true | string {
  const ready = object.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' ? true : (ready?.message ?? 'the kubelet has not reported yet');
}

async function nodeReady(client: Client, name: string, signal: AbortSignal): Promise<true | string> {
  try {
    const found = await client.get(node, { name }, signal);
    const ready = readyText(found);
    if (ready !== true) return ready;
    return found.metadata.labels?.[controlPlaneLabel] === undefined ? 'it is not marked as the control plane yet' : true;
  } catch (error) {
    if (hasReason(error, 'NotFound')) return 'the kubelet has not registered yet';
    throw error;
  }
}

async function accountsExist(client: Client, signal: AbortSignal): Promise<true | string> {
  const { items } = await client.list(serviceAccount, { fieldSelector: 'metadata.name=default' }, signal);
  const missing = systemNamespaces.filter((namespace) => !items.some((account) => account.metadata.namespace === namespace));
  return missing.length === 0 ? true : `missing in ${missing.join(', ')}`;
}

/** Asks the cluster's DNS through its Service address, as pods do. */
async function dnsAnswers(config: ClusterConfig, clock: Clock, signal: AbortSignal): Promise<true | string> {
  const name = `kubernetes.default.svc.${config.clusterDomain}`;
  const socket = createSocket('udp4');
  using limit = clock.deadline(signal, 500);
  try {
    const answer = new Promise<Buffer>((resolve, reject) => {
      socket.once('message', resolve);
      socket.once('error', reject);
      limit.signal.addEventListener('abort', () => reject(new Error('no answer')), { once: true });
    });
    socket.send(encode({ type: 'query', id: 1, flags: 0x0100, questions: [{ type: 'A', name }] }), 53, config.dnsIp);
    const { answers = [] } = decode(await answer);
    return answers.some(({ type }) => type === 'A') ? true : `${name} has no address yet`;
  } catch (error) {
    signal.throwIfAborted();
    return `no answer from ${config.dnsIp}: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    socket.close();
  }
}
