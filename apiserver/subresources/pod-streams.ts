import type { IncomingMessage } from 'node:http';
import type { V1Pod } from '#api/generated/types.ts';
import { badRequest } from '#api/meta/status.ts';
import { hearsLateRefusal, refuseExecLate } from '#base/streams/exec-refusal.ts';
import type { Authorizer } from '../authz/contract.ts';
import type { Exchange } from '../http/exchange.ts';
import { requireVerb } from '../http/filters/authorization.ts';
import { readContext } from '../http/options.ts';
import type { Query } from '../http/query.ts';
import { admitConnect } from './connect.ts';
import type { SubresourceHandler } from './contract.ts';
import type { KubeletConnection } from './kubelet-connection.ts';
import { chooseContainer, nodeOf } from './pod-target.ts';
import { tunnel, type TunnelOptions } from './tunnel.ts';

export interface PodStreamDeps {
  readonly kubelets: KubeletConnection;
  readonly authorizer: Authorizer;
}

const verbs = ['get', 'create'];

/** `pods/NAME/exec`: runs a command in a container. */
export function podExec(deps: PodStreamDeps): SubresourceHandler {
  return stream(deps, ({ info, query }, pod) => {
    const parameters = streamParameters(query);
    for (const word of query.getAll('command')) parameters.append('command', word);
    return `/exec/${info.namespace}/${info.pathName}/${chooseContainer(pod, query.get('container') ?? '')}?${parameters}`;
  });
}

/** `pods/NAME/attach`: joins what a container's process reads and writes. */
export function podAttach(deps: PodStreamDeps): SubresourceHandler {
  return stream(deps, ({ info, query }, pod) => {
    return `/attach/${info.namespace}/${info.pathName}/${chooseContainer(pod, query.get('container') ?? '')}?${streamParameters(query)}`;
  });
}

/** `pods/NAME/portforward`: connections to ports inside the pod. */
export function podPortForward(deps: PodStreamDeps): SubresourceHandler {
  return stream(deps, ({ info, query }) => {
    const ports = query.getAll('ports').flatMap((one) => one.split(','));
    const parameters = ports.length === 0 ? '' : `?${new URLSearchParams({ port: ports.join(',') })}`;
    return `/portForward/${info.namespace}/${info.pathName}${parameters}`;
  });
}

function stream({ kubelets, authorizer }: PodStreamDeps, pathFor: (exchange: Exchange, pod: V1Pod) => string): SubresourceHandler {
  return {
    verbs,
    serve: async (exchange, kind, { registry }) => {
      const { pathName, verb } = exchange.info;
      await admitConnect(exchange, kind, registry);
      if (verb === 'get') await requireVerb(authorizer, exchange, 'create');
      const pod = (await registry.get(kind, pathName, '', { ...readContext(exchange), subresource: '' })).object() as V1Pod;
      const path = pathFor(exchange, pod);
      const node = nodeOf(pod);
      const { upgrade, signal } = exchange;
      if (upgrade === undefined) throw badRequest('Upgrade request required');
      await tunnel(exchange, {
        upgrade,
        open: (method, headers) => kubelets.open(node, { method, path, headers }, signal),
        ...lateRefusal(exchange),
      });
    },
  };
}

/** Of exec and attach, newer WebSocket clients hear why in their session; upstream's server has agreed before it asks the node. */
function lateRefusal({ request, info, upgrade }: Exchange): Pick<TunnelOptions, 'refuse'> {
  if (upgrade === undefined || info.subresource === 'portforward') return {};
  const client = { ...upgrade, request: request as IncomingMessage };
  if (!hearsLateRefusal(client)) return {};
  return { refuse: (why) => refuseExecLate(client, `unable to upgrade connection: ${why}`) };
}

/** Upstream's names for the streams on the kubelet's side; output and errors are on unless switched off. */
function streamParameters(query: Query): URLSearchParams {
  const out = new URLSearchParams();
  if (query.flag('stdin')) out.set('input', '1');
  if (query.optionalFlag('stdout') ?? true) out.set('output', '1');
  if (query.optionalFlag('stderr') ?? true) out.set('error', '1');
  if (query.flag('tty')) out.set('tty', '1');
  return out;
}
