import type { V1Taint } from '#api/generated/types.ts';
import { equalValues } from '../../meta/equality.ts';
import { invalidEach, oneOf } from '../../meta/field-checks.ts';
import { duplicate, type FieldProblem, forbiddenField, invalid } from '../../meta/field-problem.ts';
import { ipFamilyOf, validateCidr } from '../../meta/ip.ts';
import { labelValueProblems, qualifiedNameProblems } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validateAmount } from '../resource-names.ts';
import type { Node } from './node.ts';

/** Effects of taints and tolerations. */
export const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateNode({ spec, status }: Node): FieldProblem[] {
  return [
    // Upstream's path says metadata, and so does ours.
    ...validateTaints(spec?.taints ?? [], 'metadata.taints'),
    ...amounts(status?.capacity, 'status.capacity'),
    ...amounts(status?.allocatable, 'status.allocatable'),
    ...validatePodCidrs(spec?.podCIDRs ?? []),
  ];
}

export function validateNodeUpdate(next: Node, prev: Node): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const seen = new Set<string>();
  next.status?.addresses?.forEach((address, at) => {
    const key = `${address.type}/${address.address}`;
    if (seen.has(key)) problems.push(duplicate(`status.addresses[${at}]`, address));
    seen.add(key);
  });
  const cidrs = prev.spec?.podCIDRs ?? [];
  if (cidrs.length > 0 && !equalValues(cidrs, next.spec?.podCIDRs ?? [])) {
    problems.push(forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  }
  const provider = prev.spec?.providerID ?? '';
  if (provider !== '' && provider !== next.spec?.providerID) {
    problems.push(forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  }
  return problems;
}

function validateTaints(taints: readonly Unchecked<V1Taint>[], path: string): FieldProblem[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, at) => {
    const { key = '', value = '', effect } = taint;
    const problems = invalidEach(`${path}[${at}].key`, key, qualifiedNameProblems(key));
    const texts = labelValueProblems(value);
    if (texts.length > 0) problems.push(invalid(`${path}[${at}].value`, value, texts.join(';')));
    problems.push(...oneOf(`${path}[${at}].effect`, effect, taintEffects));
    const identity = `${key}:${effect}`;
    if (seen.has(identity)) {
      const twice = duplicate(`${path}[${at}]`, taint);
      problems.push({ ...twice, message: `${twice.message}: taints must be unique by key and effect pair` });
    }
    seen.add(identity);
    return problems;
  });
}

function amounts(list: Readonly<Record<string, string>> | undefined, path: string): FieldProblem[] {
  return Object.entries(list ?? {}).flatMap(([name, amount]) => validateAmount(name, amount, `${path}.${name}`));
}

function validatePodCidrs(cidrs: readonly string[]): FieldProblem[] {
  const problems = cidrs.flatMap((cidr, at) => validateCidr(`spec.podCIDRs[${at}]`, cidr));
  const families = cidrs.map((cidr) => ipFamilyOf(cidr.split('/')[0] ?? ''));
  if (cidrs.length > 1 && (cidrs.length > 2 || families[0] === families[1])) {
    problems.push(invalid('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'));
  }
  return problems;
}
