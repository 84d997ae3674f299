// Holds nodes to their own objects, where that depends on what a request carries (plugin/pkg/admission/noderestriction); what can be told
// without, the Node authorizer tells. Everybody else passes.
import { parseSigningRequest } from '#api/certificates/signing-request.ts';
import type { CertificateSigningRequest } from '#api/certificates/certificate-signing-request.ts';
import type { V1ResourceSlice } from '#api/generated/types.ts';
import { nodeNameOf } from '../../authz/node/identity.ts';
import type { Authorizer } from '../../authz/contract.ts';
import type { AdmissionPlugin, AdmissionRequest, Registry } from '../../registry/contract.ts';
import { refusal } from '../refusal.ts';
import { checkClaimStatus } from './claims.ts';
import { checkNode } from './nodes.ts';
import { checkEviction, checkPodCreate, checkPodDelete, checkPodStatus } from './pods.ts';
import { checkTokenRequest } from './tokens.ts';

interface NodeRestrictionDeps {
  readonly registry: () => Registry;
  readonly authorizer: Authorizer;
}

/** One write of a node. */
export interface NodeWrite extends NodeRestrictionDeps {
  readonly node: string;
  readonly request: AdmissionRequest;
}

type Check = (write: NodeWrite) => void | Promise<void>;

/** By `group/plural`; what is not listed is not restricted. */
const checks: Readonly<Record<string, Check>> = {
  '/pods': pods,
  '/nodes': checkNode,
  '/persistentvolumeclaims': (write) => {
    if (write.request.context.subresource !== 'status') throw refusal(write.request, 'may only update PVC status');
    checkClaimStatus(write);
  },
  '/serviceaccounts': (write) => {
    const { operation, context } = write.request;
    return operation === 'CREATE' && context.subresource === 'token' ? checkTokenRequest(write) : undefined;
  },
  'coordination.k8s.io/leases': lease,
  'storage.k8s.io/csinodes': csiNode,
  'resource.k8s.io/resourceslices': resourceSlice,
  'certificates.k8s.io/certificatesigningrequests': signingRequest,
};

export function nodeRestriction(deps: NodeRestrictionDeps): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    mutate: (request) => {
      const { kind, context } = request;
      const node = nodeNameOf(context.user);
      if (node === undefined) return undefined;
      if (node === '') throw refusal(request, `could not determine node from user ${JSON.stringify(context.user.name)}`);
      const key = `${kind.group}/${kind.names.plural}`;
      return Object.hasOwn(checks, key) ? checks[key]?.({ ...deps, node, request }) : undefined;
    },
  };
}

function pods(write: NodeWrite): void | Promise<void> {
  const { request, node } = write;
  const { subresource } = request.context;
  if (subresource === 'status') return checkPodStatus(write);
  if (subresource === 'eviction') return checkEviction(write);
  if (subresource !== '') {
    throw refusal(request, `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`);
  }
  if (request.operation === 'CREATE') return checkPodCreate(write);
  if (request.operation === 'DELETE') return checkPodDelete(write);
  throw refusal(
    request,
    `unexpected operation "${request.operation}", node ${JSON.stringify(node)} can only create and delete mirror pods`,
  );
}

function lease({ node, request }: NodeWrite): void {
  if (request.context.namespace !== 'kube-node-lease') {
    throw refusal(request, 'can only access leases in the "kube-node-lease" system namespace');
  }
  if (nameOf(request) !== node) throw refusal(request, 'can only access node lease with the same name as the requesting node');
}

function csiNode({ node, request }: NodeWrite): void {
  if (nameOf(request) !== node) throw refusal(request, 'can only access CSINode with the same name as the requesting node');
}

function resourceSlice({ node, request }: NodeWrite): void {
  const verb = { CREATE: 'create', DELETE: 'delete', UPDATE: undefined, CONNECT: undefined }[request.operation];
  const slice = (request.operation === 'CREATE' ? request.object : request.previous) as unknown as V1ResourceSlice | undefined;
  if (verb === undefined || slice?.spec.nodeName === node) return;
  throw refusal(request, `can only ${verb} ResourceSlice with the same NodeName as the requesting node`);
}

/** Signers of certificates that authenticate a node. */
const nodeSigners = ['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet'];

function signingRequest({ node, request }: NodeWrite): void {
  if (request.operation !== 'CREATE') return;
  const { spec } = request.object as CertificateSigningRequest;
  if (!nodeSigners.includes(spec.signerName)) return;
  let commonName: string;
  try {
    ({ commonName } = parseSigningRequest(spec.request));
  } catch (error) {
    throw refusal(request, `unable to parse csr: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (commonName !== `system:node:${node}`) throw refusal(request, `can only create a node CSR with CN=system:node:${node}`);
}

/** On create, the name is the object's. */
function nameOf({ operation, object, name }: AdmissionRequest): string {
  return operation === 'CREATE' ? (object?.metadata.name ?? '') : name;
}
