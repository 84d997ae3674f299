import type { HostPort } from '../framework/pod-info.ts';
import { definePlugin } from '../framework/plugin.ts';
import { fits, notNow } from '../framework/verdict.ts';

/** Keeps pods apart that want the same port of the host. */
export const nodePorts = definePlugin<readonly HostPort[]>({
  name: 'NodePorts',
  retryOn: ['node-added', 'pod-removed'],
  worthRetrying: ({ hostPorts }, { pod }) =>
    pod === undefined || pod.hostPorts.some((freed) => hostPorts.some((wanted) => wanted.protocolPort === freed.protocolPort)),
  prepare: ({ hostPorts }) => hostPorts,
  filters: (wanted) => wanted.length > 0,
  filter: (node, wanted) =>
    wanted.some((port) => node.isPortTaken(port)) ? notNow("node(s) didn't have free ports for the requested pod ports") : fits,
});
