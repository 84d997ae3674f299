import { type ApiError, forbidden } from '#api/meta/status.ts';
import type { AdmissionRequest } from '../registry/contract.ts';

/** The 403 answer of an admission plugin, naming the object even where its name is not made yet. */
export function refusal(request: AdmissionRequest, why: string): ApiError {
  const { name, generateName } = request.object?.metadata ?? {};
  const shown = [request.name, name, generateName].find((one) => one !== undefined && one !== '') ?? 'Unknown';
  return forbidden({ group: request.kind.group, plural: request.kind.names.plural }, shown, why);
}

/** True for writes of an object itself of this kind, of the core group unless said otherwise. */
export function concerns(request: AdmissionRequest, plural: string, group = ''): boolean {
  return request.kind.group === group && request.kind.names.plural === plural && request.context.subresource === '';
}
