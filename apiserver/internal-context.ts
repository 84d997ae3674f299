import type { RequestContext, UserInfo } from './registry/contract.ts';

/** The API server itself, where it writes or reads on its own account. */
const serverUser: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };

interface InternalContextOptions {
  /** '' for cluster-scoped kinds. */
  readonly namespace?: string;
  readonly subresource?: string;
  readonly dryRun?: boolean;
}

/** The context of an operation that no client asked for. */
export function internalContext(options: InternalContextOptions, signal: AbortSignal): RequestContext {
  return {
    user: serverUser,
    namespace: options.namespace ?? '',
    subresource: options.subresource ?? '',
    fieldManager: 'kube-apiserver',
    fieldValidation: 'Ignore',
    dryRun: options.dryRun ?? false,
    warn: () => undefined,
    signal,
  };
}
