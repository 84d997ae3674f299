import { pod as podKind } from '#api/core/pod/pod.ts';
import { keyOf } from '#api/meta/object.ts';
import type { Client } from '#client/client.ts';
import { definePlugin, type Plugin } from '../framework/plugin.ts';

/** Binds by posting a Binding to the pod. */
export function defaultBinder(client: Client): Plugin {
  return definePlugin<undefined>({
    name: 'DefaultBinder',
    retryOn: [],
    bind: async ({ pod }, nodeName, signal) => {
      const { namespace, name, uid } = pod.metadata;
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { namespace, name, uid }, target: { kind: 'Node', name: nodeName } };
      await client.createSub(podKind, keyOf(pod), 'binding', binding, signal);
    },
  });
}
