import type {
  AuthenticationV1TokenRequest,
  V1CSIDriver,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Volume,
} from '#api/generated/types.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { refusal } from '../refusal.ts';
import { fetchOne } from './pods.ts';
import type { NodeWrite } from './plugin.ts';

/** A node gets tokens only for its pods, tied to them, and for those whom the pods' volumes name. */
export async function checkTokenRequest(write: NodeWrite): Promise<void> {
  const { node, request } = write;
  const { boundObjectRef: reference, audiences = [] } = (request.object as unknown as AuthenticationV1TokenRequest).spec ?? {};
  if (reference?.apiVersion !== 'v1' || reference.kind !== 'Pod' || !reference.name) {
    throw refusal(request, 'node requested token not bound to a pod');
  }
  if (!reference.uid) throw refusal(request, 'node requested token with a pod binding without a uid');
  const pod = (await fetchOne(write, 'pods', request.context.namespace, reference.name)).object() as Pod;
  if (reference.uid !== pod.metadata.uid) {
    throw refusal(
      request,
      `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  if (pod.spec.nodeName !== node) throw refusal(request, 'node requested token bound to a pod scheduled on a different node');
  if (audiences.length > 1) throw refusal(request, 'node may only request 0 or 1 audiences');
  const [audience = ''] = audiences;
  if ((pod.spec.volumes ?? []).some((volume) => asksFor(volume, audience))) return;
  if ((pod.spec.volumes ?? []).some((volume) => driverOf(write, pod, volume)?.includes(audience) === true)) return;
  if (await mayAskFor(write, audience)) return;
  throw refusal(
    request,
    `audience ${JSON.stringify(audience)} not found in pod spec volume, ${request.context.user.name} is not authorized to request tokens for this audience`,
  );
}

function asksFor({ projected }: V1Volume, audience: string): boolean {
  return (projected?.sources ?? []).some(({ serviceAccountToken: token }) => token !== undefined && (token.audience ?? '') === audience);
}

/** The audiences that the driver of a volume wants tokens for; undefined where the volume has no driver. */
function driverOf(write: NodeWrite, pod: Pod, volume: V1Volume): readonly string[] | undefined {
  const claim =
    volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral === undefined ? undefined : `${pod.metadata.name}-${volume.name}`);
  const name = volume.csi?.driver ?? (claim === undefined ? undefined : claimDriver(write, pod.metadata.namespace ?? '', claim));
  if (name === undefined) return undefined;
  const driver = peekOne<V1CSIDriver>(write, 'storage.k8s.io', 'csidrivers', '', name);
  return (driver?.spec.tokenRequests ?? []).map(({ audience }) => audience);
}

function claimDriver(write: NodeWrite, namespace: string, claim: string): string | undefined {
  const found = peekOne<V1PersistentVolumeClaim>(write, '', 'persistentvolumeclaims', namespace, claim);
  const volume = found?.spec?.volumeName;
  return volume === undefined ? undefined : peekOne<V1PersistentVolume>(write, '', 'persistentvolumes', '', volume)?.spec?.csi?.driver;
}

function peekOne<T>({ registry }: NodeWrite, group: string, plural: string, namespace: string, name: string): T | undefined {
  const kind = registry().find(group, 'v1', plural);
  return kind === undefined ? undefined : (registry().peek(kind, namespace, name)?.object() as T | undefined);
}

/** Roles may let a node ask for an audience all the same: image credential providers do. */
async function mayAskFor({ authorizer, request }: NodeWrite, audience: string): Promise<boolean> {
  const { verdict } = await authorizer.authorize({
    user: request.context.user,
    isResource: true,
    verb: 'request-serviceaccounts-token-audience',
    path: '',
    group: '',
    version: 'v1',
    resource: audience,
    subresource: '',
    namespace: request.context.namespace,
    name: request.name,
  });
  return verdict === 'allow';
}
