// `kubeadm kubeconfig user`: prints a kubeconfig for another user.
import { durationFlag, listFlag, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { signCertificate } from '#base/pki.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import { readPair } from '../certs/key-files.ts';
import { fetchClusterIfThere } from '../cluster/fetch-cluster.ts';
import { type Command, command, group } from '../command.ts';
import { clusterUrl, defaultCluster, kubernetesFolder } from '../config/cluster.ts';
import { initFlags, loadInit } from '../init/flags.ts';
import { parseFlags } from '#base/flags.ts';
import type { Surroundings } from '../surroundings.ts';
import { kubeconfigOf } from './kubeconfigs.ts';

const dayMs = 86_400_000;
const flags = {
  'client-name': stringFlag('', 'The name of user. It will be used as the CN if client certificates are created'),
  config: stringFlag('', 'Path to a kubeadm configuration file.'),
  kubeconfig: stringFlag(`${kubernetesFolder}/admin.conf`, 'The kubeconfig file to use when talking to the cluster.'),
  org: listFlag([], 'The organizations of the client certificate. It will be used as the O if client certificates are created'),
  token: stringFlag(
    '',
    'The token that should be used as the authentication mechanism for this kubeconfig, instead of client certificates',
  ),
  'validity-period': durationFlag(365 * dayMs, 'The validity period of the client certificate. It is an offset from the current time.'),
};

export const kubeconfigCommand: Command = group('kubeconfig', 'Kubeconfig file utilities', [
  command({
    name: 'user',
    about: 'Output a kubeconfig file for an additional user',
    flags,
    async run({ flags: values, host }) {
      const { 'client-name': user, token, org, 'validity-period': validMs } = values;
      if (user === '') throw new UsageError('required flag(s) "client-name" not set');
      const { clusterName, certificatesDir, server } = await clusterOf(values.config, values.kubeconfig, host);
      const ca = readPair(certificatesDir, 'ca');
      if (token !== '') {
        const names = { name: `${user}@${clusterName}`, clusterName, userName: user };
        return host.print(kubeconfigText({ ...names, server, ca: ca.cert, credentials: { kind: 'token', token } }));
      }
      const request = { commonName: user, organizations: org, usages: ['client'] as const, validDays: validMs / dayMs };
      const pair = await signCertificate(ca, request, host.clock.nowMs());
      host.print(kubeconfigOf({ clusterName, user, server, ca: ca.cert, pair }));
    },
  }),
]);

interface Place {
  readonly clusterName: string;
  readonly certificatesDir: string;
  readonly server: string;
}

/** From the file, or from the cluster that this control plane belongs to. What is said on the way goes to standard error. */
async function clusterOf(config: string, kubeconfig: string, host: Surroundings): Promise<Place> {
  if (config !== '') {
    const { values, given } = parseFlags('', initFlags, [`--config=${config}`]);
    const loaded = loadInit(values, given).config;
    return { ...loaded.cluster, server: clusterUrl(loaded) };
  }
  const found = await fetchClusterIfThere(kubeconfig, 'kubeconfig', { ...host, print: host.warn });
  return { ...(found ?? defaultCluster), server: findEndpoint({ path: kubeconfig, env: {} }).server };
}
