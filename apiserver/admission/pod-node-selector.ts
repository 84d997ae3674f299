// Where the pods of a namespace may run: the namespace's annotation (or the cluster's default) is added to each new pod's node
// selector, and what the pod then asks for must be among what its namespace is allowed.
import type { V1Namespace, V1Pod } from '#api/generated/types.ts';
import { labelValueProblems, qualifiedNameProblems } from '#api/meta/names.ts';
import { ApiError, forbidden, internalError } from '#api/meta/status.ts';
import type { AdmissionPlugin, AdmissionRequest, Encoded, Registry } from '../registry/contract.ts';
import { compiled } from './compiled.ts';
import { concerns } from './refusal.ts';
import { withNamespace } from './with-namespace.ts';

/** Selectors such as `zone=a,disk=ssd`. */
export interface PodNodeSelectorSettings {
  /** For namespaces without the annotation; '' for none. */
  readonly clusterDefault: string;
  /** By namespace, all that its pods may ask for. Namespaces that are absent, or whose text is empty, may ask for anything. */
  readonly allowed: ReadonlyMap<string, string>;
}

export const openNodeSelectors: PodNodeSelectorSettings = { clusterDefault: '', allowed: new Map() };

const annotation = 'scheduler.alpha.kubernetes.io/node-selector';

type Selected = ReadonlyMap<string, string>;

export function podNodeSelector(registry: () => Registry, { clusterDefault, allowed }: PodNodeSelectorSettings): AdmissionPlugin {
  const wantedBy = compiled(({ metadata }: V1Namespace) => parseNodeSelector(metadata?.annotations?.[annotation] ?? clusterDefault));
  const check = (request: AdmissionRequest, wanted: Selected): void => {
    const asked = askedOf(request);
    if (asked.some(([key, value]) => (wanted.get(key) ?? value) !== value)) {
      throw refused(request, 'pod node label selector conflicts with its namespace node label selector');
    }
    const limits = parseNodeSelector(allowed.get(request.context.namespace) ?? '');
    if (limits.size > 0 && asked.some(([key, value]) => limits.get(key) !== value)) {
      throw refused(request, 'pod node label selector labels conflict with its namespace whitelist');
    }
  };
  const mutate = (request: AdmissionRequest, wanted: Selected): void => {
    const { spec } = request.object as V1Pod;
    const asked = askedOf(request);
    const added = [...wanted].filter(([key]) => !asked.some(([own]) => own === key));
    if (spec !== undefined && added.length > 0) spec.nodeSelector = Object.fromEntries([...added, ...asked]);
    check(request, wanted);
  };
  return {
    name: 'PodNodeSelector',
    mutate: (request) => onNewPods(registry, request, (namespace) => mutate(request, wantedBy(namespace))),
    validate: (request) => onNewPods(registry, request, (namespace) => check(request, wantedBy(namespace))),
  };
}

/** Reads equalities between commas. Throws the plain 500 of upstream where one is none, or is no label. */
export function parseNodeSelector(selector: string): Selected {
  const labels = new Map<string, string>();
  if (selector === '') return labels;
  for (const equality of selector.split(',')) {
    const sides = equality.split('=');
    const [key = '', value = ''] = sides.map((side) => side.trim());
    if (sides.length !== 2) throw malformed(`invalid selector: [${sides.join(' ')}]`);
    const [keyProblems, valueProblems] = [qualifiedNameProblems(key), labelValueProblems(value)];
    if (keyProblems.length > 0) throw malformed(`<nil>: Invalid value: ${JSON.stringify(key)}: ${keyProblems.join('; ')}`);
    if (valueProblems.length > 0) throw malformed(`[${key}]: Invalid value: ${JSON.stringify(value)}: ${valueProblems.join('; ')}`);
    labels.set(key, value);
  }
  return labels;
}

/** Calls `act` with the namespace of a new pod; other requests are none of this. */
function onNewPods(registry: () => Registry, request: AdmissionRequest, act: (namespace: Encoded) => void): Promise<void> | undefined {
  if (request.operation !== 'CREATE' || !concerns(request, 'pods')) return undefined;
  return withNamespace(registry, request, act, (name) => internalError(new Error(`namespace ${name} does not exist`)));
}

function askedOf({ object }: AdmissionRequest): [string, string][] {
  return Object.entries((object as V1Pod).spec?.nodeSelector ?? {});
}

function refused({ object }: AdmissionRequest, why: string): ApiError {
  return forbidden({ group: '', plural: 'pods' }, object?.metadata.name ?? '', why);
}

function malformed(message: string): ApiError {
  return new ApiError({ reason: '', message });
}
