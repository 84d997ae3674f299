import { join } from 'node:path';
import { joinCommandText, joinTargetOf } from '../join/join-command.ts';
import { tokenText } from '../token/bootstrap-token.ts';
import type { InitJob, InitPhase } from './phase.ts';

export const showJoinCommand: InitPhase = {
  name: 'show-join-command',
  about: 'Show the join command for control-plane and worker node',
  run: (job) => {
    for (const token of job.tokens) job.host.print(farewell(job, job.flags['skip-token-print'] ? '<value withheld>' : tokenText(token)));
  },
};

/** What `init` says at its end, word for word as upstream but for the pod network, which is there already. */
function farewell({ config, flags, folders, shown, certificateKey }: InitJob, token: string): string {
  const admin = join(shown.kubernetes, 'admin.conf');
  const target = joinTargetOf(join(folders.kubernetes, 'admin.conf'));
  const key = flags['upload-certs'] ? (flags['skip-certificate-key-print'] ? '<value withheld>' : certificateKey) : undefined;
  const asControlPlane = joinCommandText({ ...target, token, controlPlane: { certificateKey: key } });
  const uploaded = `You can now join any number of control-plane nodes running the following command on each as root:

  ${asControlPlane}

Please note that the certificate-key gives access to cluster sensitive data, keep it secret!
As a safeguard, uploaded-certs will be deleted in two hours; If necessary, you can use
"kubeadm init phase upload-certs --upload-certs" to reload certs afterward.

`;
  const copied = `You can now join any number of control-plane nodes by copying certificate authorities
and service account keys on each node and then running the following as root:

  ${asControlPlane}

`;
  return `
Your Kubernetes control-plane has initialized successfully!

To start using your cluster, you need to run the following as a regular user:

  mkdir -p $HOME/.kube
  sudo cp -i ${admin} $HOME/.kube/config
  sudo chown $(id -u):$(id -g) $HOME/.kube/config

Alternatively, if you are the root user, you can run:

  export KUBECONFIG=${admin}

The pod network comes with the nodes: there is nothing to deploy for it.

${config.cluster.controlPlaneEndpoint === '' ? '' : flags['upload-certs'] ? uploaded : copied}Then you can join any number of worker nodes by running the following on each as root:

${joinCommandText({ ...target, token })}
`;
}
