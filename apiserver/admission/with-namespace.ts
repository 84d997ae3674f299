import type { ApiError } from '#api/meta/status.ts';
import { hasReason } from '#api/meta/status.ts';
import { internalContext } from '../internal-context.ts';
import type { AdmissionRequest, Encoded, Registry } from '../registry/contract.ts';

/** Calls `act` with the namespace of what is written, at once where the cache has it. Throws `missing` where there is none. */
export function withNamespace(
  registry: () => Registry,
  { context: { namespace: name, signal } }: AdmissionRequest,
  act: (namespace: Encoded) => void,
  missing: (name: string) => ApiError,
): Promise<void> | undefined {
  const served = registry();
  const kind = served.find('', 'v1', 'namespaces');
  if (kind === undefined) throw missing(name);
  const known = served.peek(kind, '', name);
  if (known !== undefined) {
    act(known);
    return undefined;
  }
  // Another API server may have made it just now.
  return served.get(kind, name, '', internalContext({}, signal)).then(act, (error: unknown) => {
    throw hasReason(error, 'NotFound') ? missing(name) : error;
  });
}
