// Reads upstream's EncryptionConfiguration. Every mistake is a sentence that names the place; secrets appear in none of them.
import { parse } from 'yaml';
import { type FieldProblem, invalid, required } from '#api/meta/field-problem.ts';
import { type Shape, shapeProblems } from '#base/document-shape.ts';
import { parseDurationMs } from '#base/duration.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { SealerName } from './sealers.ts';
import { keyOf, type ResourceName } from './sealing-rules.ts';
import type { ProviderSettings, SealingSettings } from './settings.ts';

const keys = { keys: [{ name: 'string', secret: 'string' }] } as const;
const shape: Readonly<Record<string, Shape>> = {
  apiVersion: 'string',
  kind: 'string',
  resources: [
    {
      resources: ['string'],
      providers: [
        {
          aesgcm: keys,
          aescbc: keys,
          secretbox: keys,
          identity: {},
          kms: { apiVersion: 'string', name: 'string', cachesize: 'number', endpoint: 'string', timeout: 'string' },
        },
      ],
    },
  ],
};

type Keys = { readonly keys?: readonly { readonly name?: string; readonly secret?: string }[] };
type Provider = { readonly [name in SealerName]?: Keys | null } & { readonly identity?: object | null; readonly kms?: Kms | null };

interface Kms {
  readonly apiVersion?: string;
  readonly name?: string;
  readonly cachesize?: number;
  readonly endpoint?: string;
  readonly timeout?: string;
}

interface Wire {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly resources?: readonly { readonly resources?: readonly string[]; readonly providers?: readonly Provider[] }[];
}

const sealerNames = ['aesgcm', 'aescbc', 'secretbox'] as const;
const version = 'apiserver.config.k8s.io/v1';
const kind = 'EncryptionConfiguration';
/** Key lengths in bytes. */
const keyLengths = { aesgcm: [16, 24, 32], aescbc: [16, 24, 32], secretbox: [32] } as const;

const defaultTimeout = '3s';
const defaultKmsVersion = 'v1';

/** What a configuration's text asks for; `place` is its file. Throws UsageError, saying all that is wrong. */
export function readSealing(text: string, place: string): SealingSettings {
  const content = parseText(text, place);
  if (content.kind !== kind || content.apiVersion !== version) {
    throw refused(place, [`it must be of kind ${kind}, version ${version}`]);
  }
  refuse(place, shapeProblems(content, shape));
  const problems = checkConfiguration(content);
  refuse(
    place,
    problems.map(({ field, message }) => `${field}: ${message}`),
  );
  const settings = (content.resources ?? []).map(({ resources = [], providers = [] }) => ({
    resources: resources.map(parseResource),
    providers: providers.map(providerOf),
  }));
  refuse(place, masked(settings));
  return settings;
}

function parseText(text: string, place: string): Wire {
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    // The parser's own words may quote the line, which may be a key.
    const at = (error as { linePos?: readonly [{ readonly line: number }] }).linePos?.[0].line;
    throw new UsageError(`${place}: it is no YAML${at === undefined ? '' : ` (line ${at})`}`, { exitCode: 1 });
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw refused(place, ['it holds no object']);
  return content;
}

/** Upstream's rules (apiserver/pkg/apis/apiserver/validation/validation_encryption.go). */
function checkConfiguration({ resources: entries = [] }: Wire): FieldProblem[] {
  if (entries.length === 0) return [required('resources', 'at least one resources is required')];
  const kmsNames = new Set<string>();
  return entries.flatMap(({ resources = [], providers = [] }, at) => {
    const path = `resources[${at}]`;
    const list = `${path}.resources`;
    return [
      ...(resources.length === 0 ? [required(list, `at least one ${list} is required`)] : []),
      ...checkOverlap(resources, list),
      ...resources.flatMap((name, index) => checkResource(name, `${list}[${index}]`)),
      ...(providers.length === 0 ? [required(`${path}.providers`, `at least one ${path}.providers is required`)] : []),
      ...providers.flatMap((provider, index) => checkProvider(provider, `${path}.providers[${index}]`, kmsNames)),
    ];
  });
}

function checkOverlap(resources: readonly string[], path: string): FieldProblem[] {
  const names = resources.map(parseResource);
  const isDouble = new Set(names.map(keyOf)).size < names.length;
  const overlaps = names.some((one, at) =>
    names.some((other, index) => {
      if (index === at || keyOf(one) === keyOf(other)) return false;
      if (isEverything(one)) return true;
      return one.group === other.group && (one.resource === '*' || other.resource === '*');
    }),
  );
  return [
    ...(isDouble ? [invalid(path, resources, 'the same resource cannot be specified multiple times')] : []),
    ...(overlaps
      ? [
          invalid(
            path,
            resources,
            "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked",
          ),
        ]
      : []),
  ];
}

const unreachable = ['apiserveripinfo', 'serviceipallocations', 'servicenodeportallocations'];

function checkResource(text: string, path: string): FieldProblem[] {
  const { group, resource } = parseResource(text);
  const why = ((): string | undefined => {
    if (text.toLowerCase() !== text) return 'resource name should not contain capital letters';
    if (text === '*') return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources";
    if (unreachable.includes(text)) return 'resources which do not have REST API/s cannot be encrypted';
    if (group === 'events.k8s.io') {
      return "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file";
    }
    if (group === 'extensions') return "'extensions' group has been removed and cannot be used for encryption";
    if (group === '*' && resource !== '*') return 'encrypting the same resource across groups is not supported';
    return undefined;
  })();
  return why === undefined ? [] : [invalid(path, text, why)];
}

function checkProvider(provider: Provider | null, path: string, kmsNames: Set<string>): FieldProblem[] {
  const given = Object.entries(provider ?? {}).filter(([, value]) => value !== undefined && value !== null);
  if (given.length === 0) {
    return [required(path, 'provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity')];
  }
  if (given.length > 1) {
    const names = given.map(([name]) => name);
    return [invalid(path, names, 'more than one provider specified in a single element, should split into different list elements')];
  }
  if (provider?.kms !== undefined && provider.kms !== null) return checkKms(provider.kms, `${path}.kms`, kmsNames);
  return sealerNames.flatMap((name) => {
    const wanted = provider?.[name];
    return wanted === undefined || wanted === null ? [] : checkKeys(wanted, `${path}.${name}.keys`, keyLengths[name]);
  });
}

function checkKms(kms: Kms, path: string, names: Set<string>): FieldProblem[] {
  const { apiVersion = defaultKmsVersion, name = '', cachesize, endpoint = '', timeout = defaultTimeout } = kms;
  const isKnown = names.has(name);
  names.add(name);
  const timeoutMs = parseDurationMs(timeout);
  const version = `${path}.apiVersion`;
  return [
    ...(name === '' ? [required(`${path}.name`, 'name is a mandatory field for a provider')] : []),
    ...(name.includes(':') ? [invalid(`${path}.name`, name, `invalid KMS provider name ${name}, must not contain ':'`)] : []),
    ...(isKnown ? [invalid(`${path}.name`, name, `duplicate KMS provider name ${name}, names must be unique`)] : []),
    ...(timeoutMs === undefined ? [invalid(`${path}.timeout`, timeout, 'must be a duration')] : []),
    ...(timeoutMs !== undefined && timeoutMs <= 0 ? [invalid(`${path}.timeout`, timeout, 'timeout should be a positive value')] : []),
    ...checkEndpoint(endpoint, `${path}.endpoint`),
    ...(cachesize !== undefined && apiVersion !== 'v1'
      ? [invalid(`${path}.cachesize`, cachesize, 'cachesize is not supported in v2')]
      : []),
    // Off in Kubernetes, too, by default.
    ...(apiVersion === 'v1' ? [invalid(version, apiVersion, 'KMSv1 is deprecated and is not supported. Use KMSv2 instead')] : []),
    ...(apiVersion === 'v1' || apiVersion === 'v2'
      ? []
      : [invalid(version, apiVersion, 'unsupported apiVersion apiVersion for KMS provider, only v1 and v2 are supported')]),
  ];
}

function checkEndpoint(endpoint: string, path: string): FieldProblem[] {
  if (endpoint === '') return [invalid(path, '', 'endpoint is a mandatory field for a kms')];
  const scheme = /^([A-Za-z][-+.A-Za-z0-9]*):/.exec(endpoint)?.[1] ?? '';
  if (scheme === 'unix') return [];
  return [invalid(path, endpoint, `unsupported scheme ${JSON.stringify(scheme)} for KMS provider, only unix is supported`)];
}

function checkKeys({ keys: list = [] }: Keys, path: string, lengths: readonly number[]): FieldProblem[] {
  if (list.length === 0) return [required(path, 'at least one keys is required')];
  return list.flatMap(({ name = '', secret = '' }, at) => {
    const here = `${path}[${at}]`;
    const named = name === '' ? [required(`${here}.name`, 'name is a mandatory field for a key')] : [];
    if (secret === '') return [...named, required(`${here}.secret`, 'secret is a mandatory field for a key')];
    const bytes = decodeBase64(secret);
    if (bytes === undefined) return [...named, invalid(`${here}.secret`, 'REDACTED', 'secrets must be base64 encoded')];
    if (lengths.includes(bytes.length)) return named;
    const why = `secret is not of the expected length, got ${bytes.length}, expected one of [${lengths.join(' ')}]`;
    return [...named, invalid(`${here}.secret`, 'REDACTED', why)];
  });
}

/** Line breaks are left out, as Go's decoder does. */
function decodeBase64(text: string): Buffer | undefined {
  const plain = text.replaceAll(/[\r\n]/g, '');
  const isEncoded = plain.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(plain);
  return isEncoded ? Buffer.from(plain, 'base64') : undefined;
}

function providerOf(provider: Provider): ProviderSettings {
  for (const kind of sealerNames) {
    const list = provider[kind]?.keys;
    if (list === undefined) continue;
    return { kind, keys: list.map(({ name = '', secret = '' }) => ({ name, secret: decodeBase64(secret) ?? Buffer.alloc(0) })) };
  }
  if (provider.kms === undefined || provider.kms === null) return { kind: 'identity' };
  const { name = '', endpoint = '', timeout = defaultTimeout } = provider.kms;
  return { kind: 'kms', kms: { name, endpoint, timeoutMs: parseDurationMs(timeout) ?? 0 } };
}

/** Rules that an earlier, wider one keeps from ever being asked. */
function masked(rules: SealingSettings): string[] {
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const { resources } of rules) {
    for (const name of resources) {
      const wider = [
        { group: name.group, resource: '*' },
        { group: '*', resource: '*' },
      ]
        .map(keyOf)
        .find((key) => key !== keyOf(name) && seen.has(key));
      if (wider !== undefined) problems.push(`resource ${JSON.stringify(keyOf(name))} is masked by earlier rule ${JSON.stringify(wider)}`);
      seen.add(keyOf(name));
    }
  }
  return problems;
}

/** `secrets`, `deployments.apps`, `*.apps`, `*.` (the core group), `*.*`. */
function parseResource(text: string): ResourceName {
  const dot = text.indexOf('.');
  return dot < 0 ? { group: '', resource: text } : { group: text.slice(dot + 1), resource: text.slice(0, dot) };
}

function isEverything({ group, resource }: ResourceName): boolean {
  return group === '*' && resource === '*';
}

function refuse(place: string, problems: readonly string[]): void {
  if (problems.length > 0) throw refused(place, problems);
}

function refused(place: string, problems: readonly string[]): UsageError {
  return new UsageError(`${place}: ${problems.join('; ')}`, { exitCode: 1 });
}
