import type { V1Container, V1Pod, V1PodSpec, V1ServiceAccount, V1Volume } from '#api/generated/types.ts';
import { randomSuffix } from '#api/meta/random-name.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import { internalContext } from '../internal-context.ts';
import type { AdmissionPlugin, AdmissionRequest, Registry } from '../registry/contract.ts';
import { concerns, refusal } from './refusal.ts';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const volumePrefix = 'kube-api-access-';
/** Upstream's marker: tokens of this lifetime are recognised as those of pods. */
const tokenSeconds = 3_607;
const mirrorAnnotation = 'kubernetes.io/config.mirror';
/** The default account of a new namespace is made by a controller: worth a short wait. */
const defaultAccountAttempts = 10;

export interface ServiceAccountPluginDeps {
  readonly registry: () => Registry;
  readonly clock: Clock;
}

/** Gives every pod a service account, its pull secrets, and a token to talk to the API with. */
export function serviceAccountPlugin(deps: ServiceAccountPluginDeps): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    mutate: (request) => {
      if (!concerns(request, 'pods') || request.operation !== 'CREATE') return undefined;
      const pod = request.object as V1Pod;
      const { spec } = pod;
      if (spec === undefined) return undefined;
      if (pod.metadata?.annotations?.[mirrorAnnotation] !== undefined) return checkMirror(request, spec);
      const name = spec.serviceAccountName === undefined || spec.serviceAccountName === '' ? 'default' : spec.serviceAccountName;
      spec.serviceAccountName = name;
      spec.serviceAccount = name;
      const known = peekAccount(deps, request, name);
      if (known !== undefined) return give(spec, known);
      return waitForAccount(deps, request, name).then((account) => give(spec, account));
    },
  };
}

function give(spec: V1PodSpec, account: V1ServiceAccount): void {
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec);
  const secrets = account.imagePullSecrets ?? [];
  if ((spec.imagePullSecrets ?? []).length === 0 && secrets.length > 0) {
    spec.imagePullSecrets = secrets.map((secret) => ({ ...secret }));
  }
}

/** Mirror pods only show what a node runs by itself: they get nothing from the API. */
function checkMirror(request: AdmissionRequest, spec: V1PodSpec): void {
  if ((spec.serviceAccountName ?? '') !== '') throw refusal(request, 'a mirror pod may not reference service accounts');
  for (const volume of spec.volumes ?? []) {
    if (volume.secret !== undefined) throw refusal(request, 'a mirror pod may not reference secrets');
    if ((volume.projected?.sources ?? []).some((source) => source.serviceAccountToken !== undefined)) {
      throw refusal(request, 'a mirror pod may not use ServiceAccountToken volume projections');
    }
  }
}

function peekAccount(deps: ServiceAccountPluginDeps, { context }: AdmissionRequest, name: string): V1ServiceAccount | undefined {
  const registry = deps.registry();
  const kind = registry.find('', 'v1', 'serviceaccounts');
  return kind && (registry.peek(kind, context.namespace, name)?.object() as V1ServiceAccount | undefined);
}

/** An account that is not in the cache: another server may have made it, or it is on its way. */
async function waitForAccount(deps: ServiceAccountPluginDeps, request: AdmissionRequest, name: string): Promise<V1ServiceAccount> {
  const { namespace, signal } = request.context;
  const registry = deps.registry();
  const kind = registry.find('', 'v1', 'serviceaccounts');
  const attempts = name === 'default' ? defaultAccountAttempts : 1;
  for (let attempt = 1; kind !== undefined; attempt++) {
    try {
      return (await registry.get(kind, name, '', internalContext({ namespace }, signal))).object() as V1ServiceAccount;
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
    if (attempt >= attempts) break;
    await deps.clock.sleep(100 + Math.random() * 100, signal);
  }
  throw refusal(request, `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`);
}

function mountToken(spec: V1PodSpec): void {
  const existing = (spec.volumes ?? []).find((volume) => volume.name.startsWith(volumePrefix));
  const name = existing?.name ?? `${volumePrefix}${randomSuffix()}`;
  const mounted = [...(spec.initContainers ?? []), ...spec.containers].map((container) => mountInto(container, name));
  if (existing === undefined && mounted.includes(true)) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

/** False where the container has something of its own at that place. */
function mountInto(container: V1Container, name: string): boolean {
  const mounts = container.volumeMounts ?? [];
  if (mounts.some((mount) => mount.mountPath === mountPath)) return false;
  container.volumeMounts = [...mounts, { mountPath, name, readOnly: true }];
  return true;
}

function tokenVolume(name: string): V1Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
        { configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' } },
        { downwardAPI: { items: [{ fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' }, path: 'namespace' }] } },
      ],
    },
  };
}
