import type { DiscoveryV1EndpointPort, V1Endpoint, V1EndpointSlice } from '#api/generated/types.ts';
import { portProtocols } from '../core/endpoints.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn, shortList } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { dnsLabel, invalidEach, oneOf, oneOfIfSet, qualifiedName } from '../meta/field-checks.ts';
import { duplicate, type FieldProblem, invalid, required, tooMany } from '../meta/field-problem.ts';
import { ipFamilyOf, ipWarnings, validateIp, validateNotSpecialIp } from '../meta/ip.ts';
import { dnsLabelProblems, dnsSubdomainProblems, labelValueProblems } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateImmutable, validateLabels } from '../meta/object-meta.ts';
import type { Unchecked } from '../meta/unchecked.ts';

export interface EndpointSlice extends V1EndpointSlice {
  metadata: ObjectMeta;
}

const maxEndpoints = 1_000;
const maxAddresses = 100;
const maxPorts = 20_000;
const maxTopologyLabels = 16;
const maxHints = 8;

export const endpointSlice = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  scope: 'namespaced',
  names: { plural: 'endpointslices' },
  schema: 'io.k8s.api.discovery.v1.EndpointSlice',
  hasGeneration: true,
  bumpsGeneration: hasChanged,
  defaults: [
    (object) => {
      for (const port of object.ports ?? []) {
        port.name ??= '';
        port.protocol ??= 'TCP';
      }
    },
  ],
  prepareCreate: (created) => dropTopology(created),
  prepareUpdate: (next, prev) => {
    if (!equalValues(next.endpoints, prev.endpoints)) dropTopology(next);
  },
  validate: validateSlice,
  validateUpdate: (next, prev) => validateImmutable(next.addressType, prev.addressType, 'addressType'),
  warnings: sliceWarnings,
  columns: [
    nameColumn,
    { name: 'AddressType', value: ({ addressType }) => addressType },
    {
      name: 'Ports',
      value: ({ ports }) =>
        shortList(
          (ports ?? []).map(({ name, port }) => (port === undefined ? (name ?? '*') : String(port))),
          '<unset>',
        ),
    },
    {
      name: 'Endpoints',
      value: (slice) =>
        shortList(
          (slice.endpoints ?? []).flatMap(({ addresses }) => addresses),
          '<unset>',
        ),
    },
    ageColumn,
  ],
});

/** No longer writable: values in requests are dropped silently. */
function dropTopology({ endpoints = [] }: EndpointSlice): void {
  for (const endpoint of endpoints) delete endpoint.deprecatedTopology;
}

function hasChanged(next: EndpointSlice, prev: EndpointSlice): boolean {
  if (!equalValues(next.metadata.labels, prev.metadata.labels)) return true;
  return !equalValues({ ...next, metadata: {} }, { ...prev, metadata: {} });
}

/** Of names, which nothing serves any more, and of addresses in odd spellings. */
function sliceWarnings({ addressType, endpoints = [] }: EndpointSlice, prev: EndpointSlice | undefined): string[] {
  if (addressType === 'FQDN') return prev === undefined ? ['spec.addressType: FQDN endpoints are deprecated'] : [];
  if (addressType !== 'IPv6') return [];
  return endpoints.flatMap(({ addresses }, at) =>
    addresses.flatMap((address, index) => ipWarnings(`endpoints[${at}].addresses[${index}]`, address)),
  );
}

function validateSlice({ addressType, endpoints = [], ports = [] }: Unchecked<EndpointSlice>): FieldProblem[] {
  const problems = oneOf('addressType', addressType, ['FQDN', 'IPv4', 'IPv6']);
  if (endpoints.length > maxEndpoints) problems.push(tooMany('endpoints', endpoints.length, maxEndpoints));
  else endpoints.forEach((endpoint, at) => problems.push(...validateEndpoint(endpoint, addressType ?? '', `endpoints[${at}]`)));
  if (ports.length > maxPorts) return [...problems, tooMany('ports', ports.length, maxPorts)];
  return [...problems, ...validatePorts(ports)];
}

function validateEndpoint(endpoint: Unchecked<V1Endpoint>, addressType: string, path: string): FieldProblem[] {
  const { addresses = [], nodeName, hostname, deprecatedTopology, hints } = endpoint;
  const problems: FieldProblem[] = [];
  if (addresses.length === 0) problems.push(required(`${path}.addresses`, 'must contain at least 1 address'));
  else if (addresses.length > maxAddresses) problems.push(tooMany(`${path}.addresses`, addresses.length, maxAddresses));
  addresses.forEach((address, at) => problems.push(...validateAddress(address, addressType, `${path}.addresses[${at}]`)));
  if (nodeName !== undefined) problems.push(...invalidEach(`${path}.nodeName`, nodeName, dnsSubdomainProblems(nodeName)));
  const topologyCount = Object.keys(deprecatedTopology ?? {}).length;
  if (topologyCount > maxTopologyLabels) problems.push(tooMany(`${path}.deprecatedTopology`, topologyCount, maxTopologyLabels));
  problems.push(...validateLabels(deprecatedTopology as Record<string, string> | undefined, `${path}.deprecatedTopology`));
  if (hostname !== undefined) problems.push(...dnsLabel(`${path}.hostname`, hostname));
  problems.push(...validateHints(hints?.forZones ?? [], `${path}.hints.forZones`, labelValueProblems));
  problems.push(...validateHints(hints?.forNodes ?? [], `${path}.hints.forNodes`, dnsSubdomainProblems));
  return problems;
}

function validateAddress(address: string, addressType: string, field: string): FieldProblem[] {
  if (addressType === 'FQDN') return validateDomain(field, address);
  if (addressType !== 'IPv4' && addressType !== 'IPv6') return [];
  const problems = validateIp(field, address);
  if (problems.length > 0) return problems;
  const isOther = `IPv${ipFamilyOf(address)}` !== addressType;
  // Upstream names the list here, not the address.
  const list = field.slice(0, field.lastIndexOf('['));
  return [...(isOther ? [invalid(list, address, `must be an ${addressType} address`)] : []), ...validateNotSpecialIp(field, address)];
}

function validateDomain(field: string, value: string): FieldProblem[] {
  if (value === '') return [required(field)];
  const name = value.endsWith('.') ? value.slice(0, -1) : value;
  const texts = dnsSubdomainProblems(name);
  if (texts.length > 0) return [invalid(field, name, texts.join(','))];
  const labels = name.split('.');
  if (labels.length < 2) return [invalid(field, name, 'should be a domain with at least two segments separated by dots')];
  return labels.flatMap((label) => {
    const problems = dnsLabelProblems(label);
    return problems.length === 0 ? [] : [invalid(field, label, problems.join(','))];
  });
}

/** Zones or nodes that an endpoint is meant for. */
function validateHints(
  hints: Unchecked<readonly { name: string }[]>,
  path: string,
  checkName: (name: string) => readonly string[],
): FieldProblem[] {
  if (hints.length > maxHints) return [tooMany(path, hints.length, maxHints)];
  const seen = new Set<string>();
  return hints.flatMap(({ name = '' }, at) => {
    const field = `${path}[${at}].name`;
    if (seen.has(name)) return [duplicate(field, name)];
    seen.add(name);
    return name === '' ? [required(field)] : invalidEach(field, name, checkName(name));
  });
}

function validatePorts(ports: readonly Unchecked<DiscoveryV1EndpointPort>[]): FieldProblem[] {
  const seen = new Set<string>();
  return ports.flatMap(({ name = '', protocol, appProtocol }, at) => {
    const path = `ports[${at}]`;
    const problems = name === '' ? [] : dnsLabel(`${path}.name`, name);
    if (seen.has(name)) problems.push(duplicate(`${path}.name`, name));
    seen.add(name);
    problems.push(...oneOfIfSet(`${path}.protocol`, protocol, portProtocols));
    if (appProtocol !== undefined) problems.push(...qualifiedName(`${path}.appProtocol`, appProtocol));
    return problems;
  });
}
