import type { V1OwnerReference, V1PodStatus } from '#api/generated/types.ts';
import { apiReferenceOf } from '#api/core/pod/api-references.ts';
import { isMirrorPod } from '#api/core/pod/mirror.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { equalValues } from '#api/meta/equality.ts';
import { hasReason, notFound } from '#api/meta/status.ts';
import { internalContext } from '../../internal-context.ts';
import type { Encoded } from '../../registry/contract.ts';
import { refusal } from '../refusal.ts';
import type { NodeWrite } from './plugin.ts';

/** A node shows its static pods by mirror pods, which may give it no rights: they refer to nothing. */
export async function checkPodCreate(write: NodeWrite): Promise<void> {
  const pod = write.request.object as Pod;
  const { spec } = pod;
  const who = `node ${JSON.stringify(write.node)}`;
  if (!isMirrorPod(pod)) {
    throw refusal(write.request, `pod does not have "kubernetes.io/config.mirror" annotation, ${who} can only create mirror pods`);
  }
  if (spec.nodeName !== write.node) throw refusal(write.request, `${who} can only create pods with spec.nodeName set to itself`);
  const [owner, another] = pod.metadata.ownerReferences ?? [];
  if (another !== undefined) {
    throw refusal(write.request, `${who} can only create pods with a single owner reference set to itself`);
  }
  await checkOwner(write, owner);
  const reference = apiReferenceOf(spec);
  if (reference !== undefined) throw refusal(write.request, `${who} can not create pods that reference ${reference}`);
}

async function checkOwner(write: NodeWrite, owner: V1OwnerReference | undefined): Promise<void> {
  const { node, request } = write;
  const who = `node ${JSON.stringify(node)}`;
  if (owner === undefined || owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) {
    throw refusal(request, `${who} can only create pods with an owner reference set to itself`);
  }
  if (owner.controller !== true) {
    throw refusal(request, `${who} can only create pods with a controller owner reference set to itself`);
  }
  if (owner.blockOwnerDeletion === true) throw refusal(request, `${who} must not set blockOwnerDeletion on an owner reference`);
  const { uid } = (await fetchOne(write, 'nodes', '', node)).object().metadata;
  if (owner.uid !== uid) throw refusal(request, `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`);
}

export function checkPodDelete({ node, request }: NodeWrite): void {
  if ((request.previous as Pod | undefined)?.spec.nodeName === node) return;
  throw refusal(request, `node ${JSON.stringify(node)} can only delete pods with spec.nodeName set to itself`);
}

export function checkPodStatus({ node, request }: NodeWrite): void {
  const who = `node ${JSON.stringify(node)}`;
  if (request.operation !== 'UPDATE') throw refusal(request, `unexpected operation "${request.operation}"`);
  const before = request.previous as Pod;
  const after = request.object as Pod;
  if (before.spec.nodeName !== node) {
    throw refusal(request, `${who} can only update pod status for pods with spec.nodeName set to itself`);
  }
  if (!equalValues(before.metadata.labels ?? {}, after.metadata.labels ?? {})) {
    throw refusal(request, `${who} cannot update labels through pod status`);
  }
  // Claims give rights: only the controller says which were made for a pod.
  if (!equalValues(madeClaims(before.status), madeClaims(after.status))) {
    throw refusal(request, `${who} cannot update resource claim statues`);
  }
}

function madeClaims(status: V1PodStatus | undefined): unknown {
  return [status?.resourceClaimStatuses ?? [], status?.extendedResourceClaimStatus ?? null];
}

export async function checkEviction(write: NodeWrite): Promise<void> {
  const { node, request } = write;
  if (request.operation !== 'CREATE') throw refusal(request, `unexpected operation ${request.operation}`);
  const pod = (await fetchOne(write, 'pods', request.context.namespace, request.name)).object() as Pod;
  if (pod.spec.nodeName !== node) throw refusal(request, `node ${node} can only evict pods with spec.nodeName set to itself`);
}

/** What the cache has, or what the store says. Throws NotFound, which names one of the kind, as upstream's cache does. */
export async function fetchOne({ registry, request }: NodeWrite, plural: string, namespace: string, name: string): Promise<Encoded> {
  const kind = registry().find('', 'v1', plural);
  if (kind === undefined) throw refusal(request, `${plural} are not served`);
  const known = registry().peek(kind, namespace, name);
  if (known !== undefined) return known;
  try {
    return await registry().get(kind, name, '', internalContext({ namespace }, request.context.signal));
  } catch (error) {
    throw hasReason(error, 'NotFound') ? notFound({ group: kind.group, plural: kind.kind.toLowerCase() }, name) : error;
  }
}
