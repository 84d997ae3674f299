// --runtime-config: which of the built-in API versions, and of their resources, clients find. What is off is hidden from clients alone:
// the server itself goes on to keep its own objects.
import type { KindDefinition } from '#api/kind.ts';
import type { Flag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';

/** Whether clients find a kind. */
export type IsShown = (kind: KindDefinition) => boolean;

export const runtimeConfigFlag: Flag<ReadonlyMap<string, string>> = {
  help:
    'API versions to switch on or off: v1=, GROUP/VERSION= or GROUP/VERSION/RESOURCE= true or false, and for many at once ' +
    'api/all=, api/ga=, api/beta=, api/alpha=. Only stable versions are there to be on',
  default: new Map(),
  valueName: "comma-separated 'key=value' pairs",
  parse: (text, previous) => {
    const pairs = text.split(',').filter((pair) => pair.trim() !== '');
    return new Map([
      ...(previous ?? []),
      ...pairs.map((pair): [string, string] => {
        const at = pair.indexOf('=');
        return at < 0 ? [pair.trim(), ''] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
      }),
    ]);
  },
};

/** Keys that stand for many versions, in the order in which they are looked at: later ones win. */
const families: readonly [string, RegExp][] = [
  ['api/all', /^/],
  ['api/ga', /^v[0-9]+$/],
  ['api/beta', /^v[0-9]+beta[0-9]+$/],
  ['api/alpha', /^v[0-9]+alpha[0-9]+$/],
];

/** Versions that upstream knows and that are not here, by group: they are off, and can only be that. */
const unservedVersions: Readonly<Record<string, readonly string[]>> = {
  'admissionregistration.k8s.io': ['v1beta1', 'v1alpha1'],
  'apiextensions.k8s.io': ['v1beta1'],
  'apiregistration.k8s.io': ['v1beta1'],
  apps: ['v1beta2', 'v1beta1'],
  'authentication.k8s.io': ['v1beta1', 'v1alpha1'],
  'authorization.k8s.io': ['v1beta1'],
  autoscaling: ['v2beta2', 'v2beta1'],
  batch: ['v1beta1'],
  'certificates.k8s.io': ['v1beta1', 'v1alpha1'],
  'coordination.k8s.io': ['v1beta1', 'v1alpha2'],
  'discovery.k8s.io': ['v1beta1'],
  'events.k8s.io': ['v1beta1'],
  extensions: ['v1beta1'],
  'flowcontrol.apiserver.k8s.io': ['v1beta3', 'v1beta2', 'v1beta1'],
  'imagepolicy.k8s.io': ['v1alpha1'],
  'internal.apiserver.k8s.io': ['v1alpha1'],
  'networking.k8s.io': ['v1beta1'],
  'node.k8s.io': ['v1beta1', 'v1alpha1'],
  policy: ['v1beta1'],
  'rbac.authorization.k8s.io': ['v1beta1', 'v1alpha1'],
  'resource.k8s.io': ['v1beta2', 'v1beta1', 'v1alpha3'],
  'scheduling.k8s.io': ['v1beta1', 'v1alpha2', 'v1alpha1'],
  'storage.k8s.io': ['v1beta1', 'v1alpha1'],
  'storagemigration.k8s.io': ['v1beta1', 'v1alpha1'],
};

/** What of `kinds` the flag leaves on. Throws UsageError, in upstream's words where it refuses the same. */
export function readRuntimeConfig(given: ReadonlyMap<string, string>, kinds: readonly KindDefinition[]): IsShown {
  const config = new Map([...given].filter(([key]) => key !== 'api/legacy').map(([key, value]) => [normalKey(key), value]));
  if (config.size === 0) return () => true;
  if (config.size === 1 && config.get('api/all') === 'false') throw new UsageError('invalid runtime-config with only api/all=false');
  const keys = [...config.keys()].filter((key) => !families.some(([family]) => family === key));
  checkGroups(keys, kinds);
  const rules = new Map(keys.map((key) => [key, readRule(key, config.get(key) ?? '', kinds)]));
  const broad = families.flatMap(([family, version]) => {
    const isOn = config.has(family) ? readFamily(family, config.get(family) ?? '') : undefined;
    return isOn === undefined ? [] : [{ version, isOn }];
  });
  return ({ group, version, names }) => {
    const own = rules.get(`${group}/${version}/${names.plural}`) ?? rules.get(`${group}/${version}`);
    return own ?? broad.findLast((one) => one.version.test(version))?.isOn ?? true;
  };
}

/** What clients find of `kinds`; the same list as long as that gives the same one. */
export function shownKinds(kinds: () => readonly KindDefinition[], isShown: IsShown): () => readonly KindDefinition[] {
  let last = kinds();
  let shown = last.filter(isShown);
  return () => {
    const now = kinds();
    if (now !== last) shown = now.filter(isShown);
    last = now;
    return shown;
  };
}

/** The core group has many names, and nothing in it can be switched alone. */
function normalKey(key: string): string {
  return /^(api\/)?v1(\/|$)/.test(key) ? '/v1' : key;
}

/** Throws a UsageError that names all unknown group versions. */
function checkGroups(keys: readonly string[], kinds: readonly KindDefinition[]): void {
  const unknown = keys.flatMap((key) => {
    const parts = key.split('/');
    if (parts.length !== 2 && parts.length !== 3) throw new UsageError(`runtime-config invalid key ${key}`);
    const [group = '', version = ''] = parts;
    return Object.hasOwn(unservedVersions, group) || kinds.some((kind) => kind.group === group) ? [] : [`${group}/${version}`];
  });
  if (unknown.length > 0) throw new UsageError(`unknown api groups ${[...new Set(unknown)].toSorted().join(',')}`);
}

function readRule(key: string, value: string, kinds: readonly KindDefinition[]): boolean {
  const [group = '', version = '', resource] = key.split('/');
  const here = kinds.filter((kind) => kind.group === group);
  const unserved = Object.hasOwn(unservedVersions, group) ? (unservedVersions[group] ?? []) : [];
  const isHere = here.some((kind) => kind.version === version);
  if (!isHere && !unserved.includes(version)) throw new UsageError(`group version ${group}/${version} that has not been registered`);
  if (resource !== undefined && resource !== resource.toLowerCase()) {
    throw new UsageError(`runtime-config invalid key ${key}: resources are named in the plural and in lower case`);
  }
  const isOn = readBool(key, value);
  if (isOn && !isHere) throw new UsageError(`--runtime-config=${key}=true is not supported: of ${group} only stable versions are served`);
  return isOn;
}

function readFamily(family: string, value: string): boolean {
  if (value !== 'true' && value !== 'false') throw new UsageError(`invalid value ${family}=${value}`);
  if (value === 'true' && (family === 'api/beta' || family === 'api/alpha')) {
    throw new UsageError(`--runtime-config=${family}=true is not supported: only stable versions are served`);
  }
  return value === 'true';
}

function readBool(key: string, value: string): boolean {
  if (value === '' || /^(1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false;
  throw new UsageError(`invalid value of ${key}: ${value}, err: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
}
