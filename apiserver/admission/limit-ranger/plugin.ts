// LimitRanger: fills in and checks what pods and claims ask for, by the LimitRanges of their namespace.
import type { V1PersistentVolumeClaim, V1Pod } from '#api/generated/types.ts';
import type { LimitRange } from '#api/core/limit-range.ts';
import type { AdmissionPlugin, AdmissionRequest, Registry } from '../../registry/contract.ts';
import { refusal } from '../refusal.ts';
import { applyDefaults, claimProblems, podProblems } from './pod-limits.ts';

export function limitRanger(registry: () => Registry): AdmissionPlugin {
  const rangesFor = ({ context }: AdmissionRequest): LimitRange[] => {
    const kind = registry().find('', 'v1', 'limitranges');
    return kind === undefined
      ? []
      : registry()
          .peekAll(kind, context.namespace)
          .map((found) => found.object() as LimitRange);
  };
  return {
    name: 'LimitRanger',
    mutate: (request) => {
      if (!isMeasured(request) || request.kind.kind !== 'Pod') return;
      for (const { spec } of rangesFor(request)) applyDefaults(request.object as V1Pod, spec.limits);
    },
    validate: (request) => {
      if (!isMeasured(request)) return;
      for (const { spec } of rangesFor(request)) {
        const problems =
          request.kind.kind === 'Pod'
            ? podProblems(request.object as V1Pod, spec.limits)
            : claimProblems(request.object as V1PersistentVolumeClaim, spec.limits);
        if (problems.length > 0) throw refusal(request, aggregate(problems));
      }
    },
  };
}

/** Pods when they are made or resized (nothing else changes what they ask for), claims always; not what is on its way out. */
function isMeasured({ kind, operation, context, previous }: AdmissionRequest): boolean {
  if (kind.group !== '' || (operation !== 'CREATE' && operation !== 'UPDATE')) return false;
  if (previous?.metadata.deletionTimestamp !== undefined) return false;
  if (kind.kind === 'PersistentVolumeClaim') return context.subresource === '';
  return kind.kind === 'Pod' && (operation === 'CREATE' ? context.subresource === '' : context.subresource === 'resize');
}

/** As upstream shows several errors: each text once. */
function aggregate(problems: readonly string[]): string {
  const texts = [...new Set(problems)];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}
