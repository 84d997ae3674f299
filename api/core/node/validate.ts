import type { WriteContext } from '../../kind.ts';
import { duplicate, type FieldProblem, forbiddenField, invalid, internalFault } from '../../meta/field-problem.ts';
import { ipFamilyOf, validateCidr } from '../../meta/ip.ts';
import { byteLength } from '../../meta/names.ts';
import { validateAmount } from '../resource-names.ts';
import { validateNodeAnnotations } from './annotations.ts';
import type { Node } from './node.ts';
import { validateTaints } from './taints.ts';

const maxFeatureBytes = 253;
const featurePattern = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/;
const featureText =
  "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes";

export function validateNode({ metadata, spec, status }: Node, { verb }: WriteContext): FieldProblem[] {
  const isNew = verb === 'create';
  return [
    ...validateNodeAnnotations(metadata.annotations, 'metadata.annotations'),
    // Upstream's path says metadata, and so does ours.
    ...validateTaints(spec?.taints ?? [], 'metadata.taints'),
    ...amounts(status?.capacity, 'status.capacity'),
    ...amounts(status?.allocatable, 'status.allocatable'),
    ...(isNew ? validateSwap(status?.nodeInfo?.swap?.capacity) : []),
    ...validateDeclaredFeatures(status?.declaredFeatures ?? [], 'status.declaredFeatures'),
    // What a controller writes later is taken as it is.
    ...(isNew ? validatePodCidrs(spec?.podCIDRs ?? []) : []),
  ];
}

/** The path is upstream's. */
function validateSwap(capacity: number | undefined): FieldProblem[] {
  return capacity === undefined || capacity > 0 ? [] : [invalid('metadata.nodeSwapStatus.capacity', capacity, 'must be greater than zero')];
}

/** In order, each once. */
function validateDeclaredFeatures(names: readonly string[], path: string): FieldProblem[] {
  return names.flatMap((name, at) => {
    const problems = featureProblems(name).map((text) =>
      invalid(`${path}[${at}]`, name, `invalid feature name ${JSON.stringify(name)}: ${text}`),
    );
    const before = names[at - 1];
    const order =
      before === undefined || before < name
        ? []
        : [name === before ? duplicate(`${path}[${at}]`, name) : invalid(`${path}[${at}]`, name, 'list must be sorted alphabetically')];
    return [...order, ...problems];
  });
}

function featureProblems(name: string): string[] {
  if (byteLength(name) > maxFeatureBytes) return [`must be no more than ${maxFeatureBytes} characters`];
  return featurePattern.test(name) ? [] : [featureText];
}

export function validateNodeUpdate(next: Node, prev: Node): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const seen = new Set<string>();
  next.status?.addresses?.forEach(({ type, address }, at) => {
    const key = `${type}/${address}`;
    // As Go prints it.
    if (seen.has(key)) problems.push(duplicate(`status.addresses[${at}]`, { Type: type, Address: address }));
    seen.add(key);
  });
  problems.push(...validateSameCidrs(next.spec?.podCIDRs ?? [], prev.spec?.podCIDRs ?? []));
  const provider = prev.spec?.providerID ?? '';
  if (provider !== '' && provider !== next.spec?.providerID) {
    problems.push(forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  }
  if ((next.spec?.externalID ?? '') !== (prev.spec?.externalID ?? ''))
    problems.push(forbiddenField('spec.externalID', 'may not be updated'));
  return problems;
}

/** Once for another number of ranges, else once for each that changed. */
function validateSameCidrs(next: readonly string[], prev: readonly string[]): FieldProblem[] {
  if (prev.length === 0) return [];
  const changed = next.length === prev.length ? prev.filter((cidr, at) => cidr !== next[at]) : [''];
  return changed.map(() => forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
}

function amounts(list: Readonly<Record<string, string>> | undefined, path: string): FieldProblem[] {
  return Object.entries(list ?? {}).flatMap(([name, amount]) => validateAmount(name, amount, `${path}.${name}`));
}

function validatePodCidrs(cidrs: readonly string[]): FieldProblem[] {
  const perRange = cidrs.map((cidr, at) => validateCidr(`spec.podCIDRs[${at}]`, cidr));
  const problems = perRange.flat();
  if (cidrs.length < 2) return problems;
  const unreadable = cidrs.find((_cidr, at) => (perRange[at] ?? []).length > 0);
  if (unreadable !== undefined) problems.push(notDualStack(unreadable));
  const families = new Set(cidrs.map((cidr) => ipFamilyOf(cidr.split('/')[0] ?? '')));
  if (cidrs.length > 2 || families.size < 2 || unreadable !== undefined) {
    problems.push(invalid('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'));
  }
  return problems;
}

function notDualStack(cidr: string): FieldProblem {
  const text = `failed to check with dual stack with error:invalid CIDR address: ${cidr}`;
  return internalFault('spec.podCIDRs', `invalid PodCIDRs. ${text}`);
}
