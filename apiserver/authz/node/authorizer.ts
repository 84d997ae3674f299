// What a node may do: what its pods need, its own objects, and what all nodes may alike (plugin/pkg/auth/authorizer/node). Says no more
// than that it has no opinion: roles may still allow more. What the request's body decides is left to NodeRestriction.
import { parseFieldSelector } from '#api/meta/field-selector.ts';
import type { UserInfo } from '../../registry/contract.ts';
import { type Authorizer, type AuthorizationRequest, type Decision, noRights } from '../contract.ts';
import { compileRules } from '../rbac/compiled-rules.ts';
import { nodeRules } from '../rbac/defaults/cluster-roles.ts';
import { ruleOf } from '../rbac/defaults/rule-lines.ts';
import type { NodeGraph } from './graph.ts';
import { nodeNameOf } from './identity.ts';
import { type Reached, referenceKey } from './references.ts';

const allow: Decision = { verdict: 'allow', reason: '' };
const noOpinion = no('');
const leaseNamespace = 'kube-node-lease';
const reading = new Set(['get', 'list', 'watch']);
const keeping = new Set(['get', 'create', 'update', 'patch', 'delete']);

/** One question of one node. */
interface Question {
  readonly node: string;
  readonly request: AuthorizationRequest;
  readonly graph: NodeGraph;
}

/** Resources that not all nodes may use alike, by `group/plural`. */
const divided: Readonly<Record<string, (question: Question) => Decision>> = {
  '/secrets': (question) => readNamespaced(question, 'secrets'),
  '/configmaps': (question) => readNamespaced(question, 'configmaps'),
  '/persistentvolumeclaims': claim,
  '/persistentvolumes': (question) => getOne(question, (name) => question.graph.hasVolume(question.node, name)),
  'resource.k8s.io/resourceclaims': (question) => getOne(question, (name) => leads(question, 'resourceclaims', name)),
  'storage.k8s.io/volumeattachments': (question) => getOne(question, (name) => question.graph.hasAttachment(question.node, name)),
  '/serviceaccounts': serviceAccount,
  'coordination.k8s.io/leases': lease,
  'storage.k8s.io/csinodes': csiNode,
  'resource.k8s.io/resourceslices': resourceSlice,
  '/nodes': nodes,
  '/pods': pods,
};

export function nodeAuthorizer(graph: NodeGraph): Authorizer {
  const allowsAlike = compileRules(nodeRules.map(ruleOf));
  return {
    authorize: (request) => {
      const node = nodeNameOf(request.user);
      if (node === undefined) return noOpinion;
      if (node === '') return no(`unknown node for user ${JSON.stringify(request.user.name)}`);
      const key = `${request.group}/${request.resource}`;
      if (request.isResource && Object.hasOwn(divided, key)) return divided[key]?.({ node, request, graph }) ?? noOpinion;
      return allowsAlike(request) ? allow : noOpinion;
    },
    rightsOf: (user: UserInfo) =>
      nodeNameOf(user) === undefined
        ? noRights
        : { ...noRights, isIncomplete: true, errors: ['node authorizer does not support user rule resolution'] },
  };
}

function readNamespaced(question: Question, kind: Reached): Decision {
  const { verb, subresource, namespace, name } = question.request;
  if (!reading.has(verb)) return no('can only read resources of this type');
  if (subresource !== '') return no('cannot read subresource');
  if (namespace === '') return no('can only read namespaced object of this type');
  return related(question, leads(question, kind, name));
}

function getOne(question: Question, isRelated: (name: string) => boolean): Decision {
  const { verb, subresource, name } = question.request;
  if (verb !== 'get') return no('can only get individual resources of this type');
  if (subresource !== '') return no('cannot get subresource');
  return related(question, isRelated(name));
}

function claim(question: Question): Decision {
  const { verb, subresource, name } = question.request;
  const isRelated = (): boolean => leads(question, 'persistentvolumeclaims', name);
  if (subresource !== 'status') return getOne(question, isRelated);
  return verb === 'update' || verb === 'patch' ? related(question, isRelated()) : no('can only get/update/patch this type');
}

function serviceAccount(question: Question): Decision {
  const { verb, subresource, name } = question.request;
  const isRelated = (): boolean => leads(question, 'serviceaccounts', name);
  if (verb === 'get' && subresource === '') return getOne(question, isRelated);
  if (verb !== 'create' || name === '') return no('can only create tokens for individual service accounts');
  return subresource === 'token' ? related(question, isRelated()) : no('can only create token subresource of serviceaccount');
}

function lease({ node, request }: Question): Decision {
  const { verb, namespace, name } = request;
  if (!keeping.has(verb)) return no('can only get, create, update, patch, or delete a node lease');
  if (namespace !== leaseNamespace) return no(`can only access leases in the ${JSON.stringify(leaseNamespace)} system namespace`);
  // On create the name is not known yet.
  return verb === 'create' || name === node ? allow : no('can only access node lease with the same name as the requesting node');
}

function csiNode({ node, request }: Question): Decision {
  const { verb, subresource, name } = request;
  if (!keeping.has(verb)) return no('can only get, create, update, patch, or delete a CSINode');
  if (subresource !== '') return no('cannot authorize CSINode subresources');
  return verb === 'create' || name === node ? allow : no('can only access CSINode with the same name as the requesting node');
}

function resourceSlice(question: Question): Decision {
  const { node, request, graph } = question;
  if (request.subresource !== '') return no('cannot authorize ResourceSlice subresources');
  switch (request.verb) {
    case 'create':
      return allow;
    case 'get':
    case 'update':
    case 'patch':
    case 'delete':
      return related(question, graph.hasSlice(node, request.name));
    case 'watch':
    case 'list':
    case 'deletecollection':
      if (selects(request, 'spec.nodeName', node)) return allow;
      return no('can only list/watch/deletecollection resourceslices with nodeName field selector');
    default:
      return no(
        'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
      );
  }
}

function nodes({ node, request: { verb, subresource, name } }: Question): Decision {
  const isWrite = verb === 'update' || verb === 'patch';
  if (subresource === 'status') return isWrite ? allow : noOpinion;
  if (subresource !== '') return noOpinion;
  if (isWrite || verb === 'create') return allow;
  if (!reading.has(verb)) return noOpinion;
  // By name, not by what is known: a node looks for itself before it is there.
  if (name === node) return allow;
  if (name === '') return no(`node '${node}' cannot read all nodes, only its own Node object`);
  return no(`node '${node}' cannot read '${name}', only its own Node object`);
}

function pods(question: Question): Decision {
  const { node, request, graph } = question;
  const { verb, subresource, namespace, name } = request;
  const isOwn = (): boolean => graph.isPodOn(node, namespace, name);
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allow : noOpinion;
  if (subresource === 'eviction') return verb === 'create' ? allow : noOpinion;
  if (subresource !== '') return noOpinion;
  switch (verb) {
    case 'get':
      return getOne(question, isOwn);
    case 'list':
    case 'watch':
      if (selects(request, 'spec.nodeName', node)) return allow;
      return name === '' ? no('can only list/watch pods with spec.nodeName field selector') : related(question, isOwn());
    // Mirror pods.
    case 'create':
    case 'delete':
      return allow;
    default:
      return noOpinion;
  }
}

function leads({ node, request, graph }: Question, kind: Reached, name: string): boolean {
  return graph.leadsTo(node, referenceKey(kind, request.namespace, name));
}

function related({ node, request }: Question, isRelated: boolean): Decision {
  if (request.name === '') return no('No Object name found');
  return isRelated ? allow : no(`no relationship found between node '${node}' and this object`);
}

/** Whether a request's field selector lets only objects through that have this value. */
function selects({ fieldSelector = '' }: AuthorizationRequest, field: string, value: string): boolean {
  try {
    return fieldSelector !== '' && parseFieldSelector(fieldSelector).exact(field) === value;
  } catch {
    return false; // The request will be refused for it.
  }
}

function no(reason: string): Decision {
  return { verdict: 'none', reason };
}
