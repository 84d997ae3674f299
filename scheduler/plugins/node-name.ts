import { definePlugin } from '../framework/plugin.ts';
import { fits, neverHere } from '../framework/verdict.ts';

/** A pod that names a node runs there or nowhere. */
export const nodeName = definePlugin<string>({
  name: 'NodeName',
  retryOn: ['node-added', 'pod-changed'],
  prepare: ({ pod }) => pod.spec.nodeName ?? '',
  filters: (wanted) => wanted !== '',
  filter: (node, wanted) => (node.name === wanted ? fits : neverHere("node(s) didn't match the requested node name")),
});
