import type { Deployment } from '#api/apps/deployment.ts';
import type { ReplicaSet } from '#api/apps/replica-set.ts';
import { rollingBounds, wantedOf } from './view.ts';

export const revisionAnnotation = 'deployment.kubernetes.io/revision';
const historyAnnotation = 'deployment.kubernetes.io/revision-history';
const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
const maxAnnotation = 'deployment.kubernetes.io/max-replicas';
const rollbackAnnotation = 'deprecated.deployment.rollback.to';
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** Annotations of a Deployment that its ReplicaSets do not inherit. */
const notCopied = new Set([
  lastAppliedAnnotation,
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
  rollbackAnnotation,
]);
const maxInt64 = 2n ** 63n - 1n;
/** Upstream keeps a history of revisions up to this length, in characters. */
const maxHistoryLength = 2_000;

/** The revision of a set; 0 where it has none. Adopted sets may bring any number of 64 bits, more than a double holds exactly. */
export function revisionOf({ metadata }: { metadata: { annotations?: Record<string, string> } }): bigint {
  const text = metadata.annotations?.[revisionAnnotation];
  const revision = text !== undefined && /^\d{1,19}$/.test(text) ? BigInt(text) : 0n;
  return revision > maxInt64 ? 0n : revision;
}

export function maxRevision(sets: readonly ReplicaSet[]): bigint {
  return sets.map(revisionOf).reduce((most, revision) => (revision > most ? revision : most), 0n);
}

/** Annotations of a new set. */
export function newSetAnnotations(deployment: Deployment, revision: bigint): Record<string, string> {
  return { ...copied(deployment), [revisionAnnotation]: String(revision), ...sizeAnnotations(deployment) };
}

/** The annotations that the current set should have; a set that becomes current again remembers the revisions it had. */
export function currentSetAnnotations(deployment: Deployment, set: ReplicaSet, revision: bigint): Record<string, string> {
  const before = set.metadata.annotations ?? {};
  const own = revisionOf(set);
  const annotations = { ...before, ...copied(deployment) };
  if (own >= revision) return annotations;
  annotations[revisionAnnotation] = String(revision);
  if (own > 0n) annotations[historyAnnotation] = appendHistory(before[historyAnnotation] ?? '', own);
  return annotations;
}

/** What a set remembers of the Deployment's size, for proportional scaling. */
export function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const wanted = wantedOf(deployment);
  return { [desiredAnnotation]: String(wanted), [maxAnnotation]: String(wanted + rollingBounds(deployment).maxSurge) };
}

/** The Deployment's size when this set was last scaled. */
export function rememberedDesired(set: ReplicaSet): number | undefined {
  return numberOf(set.metadata.annotations?.[desiredAnnotation]);
}

export function rememberedMax(set: ReplicaSet): number | undefined {
  return numberOf(set.metadata.annotations?.[maxAnnotation]);
}

function copied({ metadata }: Deployment): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => !notCopied.has(key)));
}

function appendHistory(history: string, revision: bigint): string {
  const entries = history === '' ? [] : history.split(',');
  entries.push(String(revision));
  while (entries.join(',').length > maxHistoryLength) entries.shift();
  return entries.join(',');
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
