import type { V1IPBlock, V1NetworkPolicy, V1NetworkPolicyPeer, V1NetworkPolicyPort, V1NetworkPolicySpec } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn, selectorText } from '../meta/columns.ts';
import { oneOfIfSet, portNumberOrName, validateLabelSelector } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, notSupported, required } from '../meta/field-problem.ts';
import { cidrWarnings, holdsNetwork, networkOf, validateCidr } from '../meta/ip.ts';
import { portNumberProblems } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import type { Unchecked } from '../meta/unchecked.ts';

export interface NetworkPolicy extends V1NetworkPolicy {
  metadata: ObjectMeta;
  spec: V1NetworkPolicySpec;
}

const policyTypes = ['Ingress', 'Egress'];
/** In the order in which upstream's message lists them. */
const protocols = ['TCP', 'UDP', 'SCTP'];

export const networkPolicy = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  scope: 'namespaced',
  names: { plural: 'networkpolicies', short: ['netpol'] },
  schema: 'io.k8s.api.networking.v1.NetworkPolicy',
  hasGeneration: true,
  defaults: [defaultNetworkPolicy],
  // Updates are validated against the old object.
  validate: (object, { verb }) => (verb === 'create' ? validateNetworkPolicy(object) : []),
  validateUpdate: (next, prev) => validateNetworkPolicy(next, prev),
  warnings: blockWarnings,
  columns: [nameColumn, { name: 'Pod-Selector', value: ({ spec }) => selectorText(spec.podSelector) }, ageColumn],
});

function defaultNetworkPolicy(object: NetworkPolicy): void {
  object.spec ??= {};
  const { spec } = object;
  spec.podSelector ??= {};
  for (const { ports = [] } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) for (const port of ports) port.protocol ??= 'TCP';
  if ((spec.policyTypes?.length ?? 0) === 0) spec.policyTypes = (spec.egress?.length ?? 0) > 0 ? policyTypes.slice() : ['Ingress'];
}

/** Peers of all rules with their paths. */
function* peersOf({ ingress = [], egress = [] }: Unchecked<V1NetworkPolicySpec>): Generator<[Unchecked<V1NetworkPolicyPeer>, string]> {
  for (const [at, { from = [] }] of ingress.entries()) {
    for (const [index, peer] of from.entries()) yield [peer, `spec.ingress[${at}].from[${index}]`];
  }
  for (const [at, { to = [] }] of egress.entries()) {
    for (const [index, peer] of to.entries()) yield [peer, `spec.egress[${at}].to[${index}]`];
  }
}

function blockWarnings({ spec }: NetworkPolicy): string[] {
  return [...peersOf(spec)].flatMap(([{ ipBlock }, path]) => {
    const { cidr = '', except = [] } = ipBlock ?? {};
    const others = except.flatMap((one, at) => cidrWarnings(`${path}.ipBlock.except[${at}]`, one));
    return [...cidrWarnings(`${path}.ipBlock.cidr`, cidr), ...others];
  });
}

/** Blocks may stay as they are in `prev`, however they are written. */
function validateNetworkPolicy({ spec }: NetworkPolicy, prev?: NetworkPolicy): FieldProblem[] {
  const before = prev === undefined ? [] : [...peersOf(prev.spec)].flatMap(([{ ipBlock }]) => blocksOf(ipBlock));
  const problems = validateLabelSelector(spec.podSelector, 'spec.podSelector');
  for (const direction of ['ingress', 'egress'] as const) {
    for (const [at, { ports = [] }] of (spec[direction] ?? []).entries()) {
      ports.forEach((port, index) => problems.push(...validatePort(port, `spec.${direction}[${at}].ports[${index}]`)));
    }
  }
  for (const [peer, path] of peersOf(spec)) problems.push(...validatePeer(peer, before, path));
  const types = spec.policyTypes ?? [];
  if (types.length > policyTypes.length) {
    return [...problems, invalid('spec.policyTypes', types, 'may not specify more than two policyTypes')];
  }
  types.forEach((type, at) => {
    if (!policyTypes.includes(type)) problems.push(notSupported(`spec.policyTypes[${at}]`, type, policyTypes));
  });
  return problems;
}

function validatePort({ protocol, port, endPort }: Unchecked<V1NetworkPolicyPort>, path: string): FieldProblem[] {
  const problems = oneOfIfSet(`${path}.protocol`, protocol, protocols);
  const field = `${path}.endPort`;
  const end = (text: string): FieldProblem[] => (endPort === undefined ? [] : [invalid(field, endPort, text)]);
  if (port === undefined) return [...problems, ...end('may not be specified when `port` is not specified')];
  if (typeof port === 'string') {
    return [...problems, ...end('may not be specified when `port` is non-numeric'), ...portNumberOrName(`${path}.port`, port)];
  }
  problems.push(...portNumberOrName(`${path}.port`, port));
  if (endPort === undefined) return problems;
  if (endPort < port) problems.push(...end('must be greater than or equal to `port`'));
  return [...problems, ...portNumberProblems(endPort).map((text) => invalid(field, endPort, text))];
}

function blocksOf({ cidr = '', except = [] }: Unchecked<V1IPBlock> = {}): string[] {
  return [cidr, ...except];
}

function validatePeer(peer: Unchecked<V1NetworkPolicyPeer>, before: readonly string[], path: string): FieldProblem[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  const problems = [
    ...validateLabelSelector(podSelector, `${path}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
    ...(ipBlock === undefined ? [] : validateBlock(ipBlock, before, `${path}.ipBlock`)),
  ];
  const selects = podSelector !== undefined || namespaceSelector !== undefined;
  if (!selects && ipBlock === undefined) problems.push(required(path, 'must specify a peer'));
  if (selects && ipBlock !== undefined) problems.push(forbiddenField(path, 'may not specify both ipBlock and another peer'));
  return problems;
}

function validateBlock({ cidr = '', except = [] }: Unchecked<V1IPBlock>, before: readonly string[], path: string): FieldProblem[] {
  if (cidr === '') return [required(`${path}.cidr`)];
  const problems = validateCidr(`${path}.cidr`, cidr, before);
  const outer = networkOf(cidr);
  if (outer === undefined) return problems;
  for (const [at, one] of except.entries()) {
    const field = `${path}.except[${at}]`;
    problems.push(...validateCidr(field, one, before));
    const inner = networkOf(one);
    if (inner === undefined || (holdsNetwork(outer, inner) && outer.bits < inner.bits)) continue;
    problems.push(invalid(field, one, 'must be a strict subset of `cidr`'));
  }
  return problems;
}
