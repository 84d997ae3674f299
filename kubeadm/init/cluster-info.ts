import { stringify } from 'yaml';

/** The kubeconfig of `kube-public/cluster-info`: where the cluster is and whom to trust there, without any user. */
export function clusterInfoText(server: string, ca: string): string {
  return stringify(
    {
      apiVersion: 'v1',
      clusters: [{ cluster: { 'certificate-authority-data': Buffer.from(ca).toString('base64'), server }, name: '' }],
      contexts: null,
      'current-context': '',
      kind: 'Config',
      users: null,
    },
    { lineWidth: 0, indentSeq: false },
  );
}
