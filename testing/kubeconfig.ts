import type { TestApiServer } from '#apiserver/testing.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';

/** A kubeconfig of the administrator. */
export function adminKubeconfig({ url, adminClientConfig: { ca = '', credentials } }: TestApiServer): string {
  return kubeconfigText({ name: 'test', server: url, ca, credentials });
}
