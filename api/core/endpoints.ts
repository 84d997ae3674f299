import { addAll } from '../meta/add-all.ts';
import type { CoreV1EndpointPort, V1EndpointAddress, V1Endpoints, V1EndpointSubset } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn, shortList } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { dnsLabel, invalidEach, oneOf, qualifiedName } from '../meta/field-checks.ts';
import { type FieldProblem, required } from '../meta/field-problem.ts';
import { ipWarnings, validateIp, validateNotSpecialIp } from '../meta/ip.ts';
import { dnsSubdomainProblems, portNumberProblems } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import type { Unchecked } from '../meta/unchecked.ts';

export interface Endpoints extends V1Endpoints {
  metadata: ObjectMeta;
}

/** Protocols of ports, everywhere. */
export const portProtocols = ['SCTP', 'TCP', 'UDP'];

export const endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  scope: 'namespaced',
  names: { plural: 'endpoints', short: ['ep'] },
  schema: 'io.k8s.api.core.v1.Endpoints',
  createOnUpdate: true,
  defaults: [
    (object) => {
      for (const { ports } of object.subsets ?? []) for (const port of ports ?? []) if (!port.protocol) port.protocol = 'TCP';
    },
  ],
  validate: (object, { verb }) => (verb === 'create' ? validateSubsets(object) : []),
  // What was valid once stays so.
  validateUpdate: (next, prev) => (equalValues(next.subsets, prev.subsets) ? [] : validateSubsets(next)),
  warnings: addressWarnings,
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  columns: [nameColumn, { name: 'Endpoints', value: endpointsText }, ageColumn],
});

/** The controller that makes endpoints for Services only copies what pods have. */
function addressWarnings({ metadata, subsets = [] }: Endpoints): string[] {
  if (metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller') return [];
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [] }, at) => [
    ...addresses.flatMap(({ ip }, index) => ipWarnings(`subsets[${at}].addresses[${index}].ip`, ip)),
    ...notReadyAddresses.flatMap(({ ip }, index) => ipWarnings(`subsets[${at}].notReadyAddresses[${index}].ip`, ip)),
  ]);
}

function endpointsText({ subsets = [] }: Endpoints): string {
  const items = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`))),
  );
  return shortList(items, subsets.length === 0 ? '<none>' : '');
}

function validateSubsets({ subsets = [] }: Endpoints): FieldProblem[] {
  return subsets.flatMap((subset, at) => validateSubset(subset, `subsets[${at}]`));
}

function validateSubset(subset: Unchecked<V1EndpointSubset>, path: string): FieldProblem[] {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  const problems: FieldProblem[] = [];
  if (addresses.length === 0 && notReadyAddresses.length === 0) {
    problems.push(required(path, 'must specify `addresses` or `notReadyAddresses`'));
  }
  addresses.forEach((address, at) => addAll(problems, validateAddress(address, `${path}.addresses[${at}]`)));
  notReadyAddresses.forEach((address, at) => addAll(problems, validateAddress(address, `${path}.notReadyAddresses[${at}]`)));
  ports.forEach((port, at) => addAll(problems, validatePort(port, ports.length > 1, `${path}.ports[${at}]`)));
  return problems;
}

function validateAddress({ ip = '', hostname, nodeName }: Unchecked<V1EndpointAddress>, path: string): FieldProblem[] {
  return [
    ...validateIp(`${path}.ip`, ip),
    ...(hostname ? dnsLabel(`${path}.hostname`, hostname) : []),
    ...(nodeName === undefined ? [] : invalidEach(`${path}.nodeName`, nodeName, dnsSubdomainProblems(nodeName))),
    ...validateNotSpecialIp(`${path}.ip`, ip),
  ];
}

function validatePort(endpointPort: Unchecked<CoreV1EndpointPort>, isNameRequired: boolean, path: string): FieldProblem[] {
  const { name = '', port = 0, protocol, appProtocol } = endpointPort;
  const problems: FieldProblem[] = [];
  if (name !== '') addAll(problems, dnsLabel(`${path}.name`, name));
  else if (isNameRequired) problems.push(required(`${path}.name`));
  addAll(problems, invalidEach(`${path}.port`, port, portNumberProblems(port)));
  addAll(problems, oneOf(`${path}.protocol`, protocol, portProtocols));
  if (appProtocol !== undefined) addAll(problems, qualifiedName(`${path}.appProtocol`, appProtocol));
  return problems;
}
