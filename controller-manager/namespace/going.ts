import { hasReason } from '#api/meta/status.ts';

/** True for the refusal to create something in a namespace that is being deleted. */
export function isNamespaceGoing(error: unknown): boolean {
  return hasReason(error, 'Forbidden') && error.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true;
}
