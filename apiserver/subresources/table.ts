import { bindings, podBinding } from './binding.ts';
import { SubresourceTable } from './contract.ts';
import { podEviction } from './eviction.ts';
import type { KubeletConnection } from './kubelet-connection.ts';
import { podLog } from './log.ts';
import { podAttach, podExec, podPortForward } from './pod-streams.ts';
import { tokenRequest, type TokenRequestDeps } from './token-request.ts';

export interface SubresourceDeps {
  readonly kubelets: KubeletConnection;
  /** Undefined where no signing key is given: then no tokens are made. */
  readonly tokens: TokenRequestDeps | undefined;
}

/** Who serves what. */
export function subresourceTable({ kubelets, tokens }: SubresourceDeps): SubresourceTable {
  return new SubresourceTable(
    {
      'bindings/': bindings,
      'pods/binding': podBinding,
      'pods/eviction': podEviction,
      'pods/log': podLog(kubelets),
      'pods/exec': podExec(kubelets),
      'pods/attach': podAttach(kubelets),
      'pods/portforward': podPortForward(kubelets),
      ...(tokens === undefined ? {} : { 'serviceaccounts/token': tokenRequest(tokens) }),
    },
    tokens === undefined ? ['serviceaccounts/token'] : [],
  );
}
