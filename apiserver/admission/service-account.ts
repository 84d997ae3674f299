import { isMirrorPod } from '#api/core/pod/mirror.ts';
import { podSecretNames } from '#api/core/pod/secret-names.ts';
import type { ServiceAccount } from '#api/core/service-account.ts';
import type { V1Container, V1Pod, V1PodSpec, V1Volume } from '#api/generated/types.ts';
import { randomSuffix } from '#api/meta/random-name.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import { internalContext } from '../internal-context.ts';
import type { AdmissionPlugin, AdmissionRequest, Registry } from '../registry/contract.ts';
import { plainError } from '../registry/failures.ts';
import { limitsSecrets, unlistedInContainers, unlistedSecret } from './mountable-secrets.ts';
import { concerns, refusal } from './refusal.ts';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const volumePrefix = 'kube-api-access-';
/** Upstream's marker: tokens of this lifetime are recognised as those of pods. */
const tokenSeconds = 3_607;
/** The default account of a new namespace is made by a controller: worth a short wait. */
const defaultAccountAttempts = 10;

interface ServiceAccountPluginDeps {
  readonly registry: () => Registry;
  readonly clock: Clock;
}

/** Gives every pod a service account, its pull secrets, and a token to talk to the API with; holds it to what the account allows. */
export function serviceAccountPlugin(deps: ServiceAccountPluginDeps): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    mutate: (request) => {
      if (!concerns(request, 'pods') || request.operation !== 'CREATE') return undefined;
      const pod = request.object as V1Pod;
      const { spec } = pod;
      if (spec === undefined || isMirrorPod(pod)) return checkMirror(request, pod);
      const name = spec.serviceAccountName === undefined || spec.serviceAccountName === '' ? 'default' : spec.serviceAccountName;
      spec.serviceAccountName = name;
      spec.serviceAccount = name;
      return withAccount(deps, request, name, (account) => {
        give(spec, account);
        checkSecrets(request, spec, account);
      });
    },
    validate: (request) => {
      if (concerns(request, 'pods') && request.operation === 'CREATE') return checkNewPod(deps, request, request.object as V1Pod);
      if (isEphemeralUpdate(request)) return checkEphemeral(deps, request, request.object as V1Pod);
      return undefined;
    },
  };
}

function isEphemeralUpdate({ kind, operation, context }: AdmissionRequest): boolean {
  const isPod = kind.group === '' && kind.kind === 'Pod';
  return isPod && operation === 'UPDATE' && context.subresource === 'ephemeralcontainers';
}

function give(spec: V1PodSpec, account: ServiceAccount): void {
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec);
  const secrets = account.imagePullSecrets ?? [];
  if ((spec.imagePullSecrets ?? []).length === 0 && secrets.length > 0) {
    spec.imagePullSecrets = secrets.map((secret) => ({ ...secret }));
  }
}

/** Mirror pods only show what a node runs by itself: they get nothing from the API. */
function checkMirror(request: AdmissionRequest, { spec }: V1Pod): undefined {
  if (spec === undefined) return;
  if ((spec.serviceAccountName ?? '') !== '') throw refusal(request, 'a mirror pod may not reference service accounts');
  if (podSecretNames(spec).length > 0) throw refusal(request, 'a mirror pod may not reference secrets');
  const sources = (spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  if (sources.some(({ serviceAccountToken }) => serviceAccountToken !== undefined)) {
    throw refusal(request, 'a mirror pod may not use ServiceAccountToken volume projections');
  }
}

function checkNewPod(deps: ServiceAccountPluginDeps, request: AdmissionRequest, pod: V1Pod): Promise<void> | undefined {
  const { spec } = pod;
  if (spec === undefined || isMirrorPod(pod)) return checkMirror(request, pod);
  return withAccount(deps, request, namedAccount(request, pod), (account) => checkSecrets(request, spec, account));
}

function checkSecrets(request: AdmissionRequest, spec: V1PodSpec, account: ServiceAccount): void {
  const why = limitsSecrets(account) ? unlistedSecret(account, spec) : undefined;
  if (why !== undefined) throw refusal(request, why);
}

function checkEphemeral(deps: ServiceAccountPluginDeps, request: AdmissionRequest, pod: V1Pod): Promise<void> | undefined {
  return withAccount(deps, request, namedAccount(request, pod), (account) => {
    if (!limitsSecrets(account)) return;
    const why = unlistedInContainers(account, pod.spec?.ephemeralContainers, 'ephemeral container');
    // Upstream does not make this a refusal.
    if (why !== undefined) throw plainError(why);
  });
}

function namedAccount(request: AdmissionRequest, { spec, metadata }: V1Pod): string {
  const name = spec?.serviceAccountName ?? '';
  if (name !== '') return name;
  throw refusal(request, `no service account specified for pod ${request.context.namespace}/${metadata?.name ?? ''}`);
}

/** Calls `act` with the account: at once where the cache has it. */
function withAccount(
  deps: ServiceAccountPluginDeps,
  request: AdmissionRequest,
  name: string,
  act: (account: ServiceAccount) => void,
): Promise<void> | undefined {
  const registry = deps.registry();
  const kind = registry.find('', 'v1', 'serviceaccounts');
  const known = kind && registry.peek(kind, request.context.namespace, name);
  if (known === undefined) return waitForAccount(deps, request, name).then(act);
  act(known.object() as ServiceAccount);
  return undefined;
}

/** An account that is not in the cache: another server may have made it, or it is on its way. */
async function waitForAccount(deps: ServiceAccountPluginDeps, request: AdmissionRequest, name: string): Promise<ServiceAccount> {
  const { namespace, signal } = request.context;
  const registry = deps.registry();
  const kind = registry.find('', 'v1', 'serviceaccounts');
  const attempts = name === 'default' ? defaultAccountAttempts : 1;
  for (let attempt = 1; kind !== undefined; attempt++) {
    try {
      return (await registry.get(kind, name, '', internalContext({ namespace }, signal))).object() as ServiceAccount;
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
