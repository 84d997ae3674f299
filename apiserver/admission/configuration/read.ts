// `--admission-control-config-file`: an AdmissionConfiguration, which holds the plugins' own configurations or names their files.
import { dirname, resolve } from 'node:path';
import { UsageError } from '#base/lifecycle.ts';
import { type AdmissionPluginName, isPluginName } from '../plugins.ts';
import { checkDocument, configurationFlag, type ConfigurationDocument, readDocument, refused } from './document.ts';
import { readEventLimits } from './event-limits.ts';
import { readNodeSelectors } from './node-selectors.ts';
import { readPodSecurity } from './pod-security.ts';
import { readLimitedResources } from './limited-resources.ts';
import { readTolerations } from './tolerations.ts';
import { defaultPluginSettings, type PluginSettings } from './settings.ts';

type Reader = (document: ConfigurationDocument) => Partial<PluginSettings>;

/** Plugins that are configurable. */
const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['EventRateLimit', (document) => ({ eventLimits: readEventLimits(document) })],
  ['PodNodeSelector', (document) => ({ nodeSelectors: readNodeSelectors(document) })],
  ['PodSecurity', (document) => ({ podSecurity: readPodSecurity(document) })],
  ['PodTolerationRestriction', (document) => ({ tolerations: readTolerations(document) })],
  ['ResourceQuota', (document) => ({ limitedResources: readLimitedResources(document) })],
]);

const configurationType = {
  kind: 'AdmissionConfiguration',
  versions: ['apiserver.config.k8s.io/v1', 'apiserver.k8s.io/v1alpha1'],
  shape: { plugins: [{ name: 'string', path: 'string', configuration: 'map' }] },
} as const;

interface PluginEntry {
  readonly name?: string;
  readonly path?: string;
  readonly configuration?: unknown;
}

/** Throws UsageError for every mistake, in that file and in those it names, and for what a chosen plugin cannot do without. */
export function readPluginSettings(path: string, chosen: readonly AdmissionPluginName[]): PluginSettings {
  const settings = readSettings(path);
  if (chosen.includes('EventRateLimit') && settings.eventLimits.length === 0) {
    throw new UsageError(`plugin "EventRateLimit" needs limits: name them in --${configurationFlag}`);
  }
  return settings;
}

function readSettings(path: string): PluginSettings {
  if (path === '') return defaultPluginSettings;
  const { plugins = [] } = checkDocument<{ plugins?: readonly PluginEntry[] }>(readDocument(path), configurationType);
  const said = new Set<string>();
  let settings = defaultPluginSettings;
  for (const [at, entry] of plugins.entries()) {
    const { name = '' } = entry;
    const place = `${path}: plugins[${at}]`;
    if (!isPluginName(name)) throw refused(`${place}.name`, `plugin ${JSON.stringify(name)} is unknown`);
    if (said.has(name)) throw refused(`${place}.name`, `plugin ${JSON.stringify(name)} is configured twice`);
    said.add(name);
    const document = documentOf(entry, path, place);
    if (document === undefined) continue;
    const reader = readers.get(name);
    if (reader === undefined) throw refused(place, `plugin ${JSON.stringify(name)} takes no configuration here`);
    settings = { ...settings, ...reader(document) };
  }
  return settings;
}

/** What stands in the file itself counts before what it names. */
function documentOf({ name, path = '', configuration }: PluginEntry, file: string, place: string): ConfigurationDocument | undefined {
  if (configuration !== undefined) return { content: configuration, place: `${place}.configuration (${name})` };
  return path === '' ? undefined : readDocument(resolve(dirname(file), path));
}
