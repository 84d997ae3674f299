import { parseNodeSelector, type PodNodeSelectorSettings } from '../pod-node-selector.ts';
import { checkDocument, type ConfigurationDocument, refused } from './document.ts';

const field = 'podNodeSelectorPluginConfig';
const clusterDefaultKey = 'clusterDefaultNodeSelector';

/** A document without kind: selectors by namespace, and one for all the others. Throws UsageError. */
export function readNodeSelectors(document: ConfigurationDocument): PodNodeSelectorSettings {
  const { [field]: selectors = {} } = checkDocument<{ readonly [field]?: Readonly<Record<string, unknown>> }>(document, {
    shape: { [field]: 'map' },
  });
  const read = new Map(Object.entries(selectors).map(([name, selector]) => [name, check(selector, name, document.place)]));
  const clusterDefault = read.get(clusterDefaultKey) ?? '';
  read.delete(clusterDefaultKey);
  return { clusterDefault, allowed: read };
}

function check(selector: unknown, name: string, place: string): string {
  const path = `${field}.${name}`;
  if (typeof selector !== 'string') throw refused(place, `${path}: must be a string`);
  try {
    parseNodeSelector(selector);
  } catch (error) {
    throw refused(place, `${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return selector;
}
