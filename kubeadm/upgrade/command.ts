// `kubeadm upgrade plan`: what runs now and what this kubeadm would bring.
import { node } from '#api/core/node/node.ts';
import { stringFlag } from '#base/flags.ts';
import { version } from '#base/version.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { connect } from '#client/rest.ts';
import { fetchCluster } from '../cluster/fetch-cluster.ts';
import { type Command, command, group } from '../command.ts';
import { kubernetesFolder } from '../config/cluster.ts';
import { textTable } from '../text-table.ts';

const target = version.split('+')[0] ?? version;

export const upgradeCommand: Command = group('upgrade', 'Upgrade your cluster smoothly to a newer version with this command', [
  command({
    name: 'plan',
    about: 'Check which versions are available to upgrade to and validate whether your current cluster is upgradeable',
    flags: { kubeconfig: stringFlag(`${kubernetesFolder}/admin.conf`, 'The kubeconfig file to use when talking to the cluster.') },
    async run({ flags, host }) {
      await using client = connect(findEndpoint({ path: flags.kubeconfig, env: {} }), { clock: host.clock, component: 'kubeadm' });
      const { kubernetesVersion } = await fetchCluster(client, 'upgrade/config', host);
      const { gitVersion } = (await client.raw('GET', '/version', undefined, host.signal)) as { gitVersion: string };
      const { items } = await client.list(node, {}, host.signal);
      const running = gitVersion.split('+')[0] ?? gitVersion;
      host.print(`[upgrade/versions] Cluster version: ${kubernetesVersion}\n[upgrade/versions] kubeadm version: ${version}\n`);
      const old = items.filter(({ status }) => status?.nodeInfo?.kubeletVersion?.split('+')[0] !== target);
      if (running === target && old.length === 0) {
        host.print(
          `[upgrade/versions] Latest version in the v${target.slice(1, 5)} series: ${target}\n\nAwesome, you're up-to-date! Enjoy!\n`,
        );
        return;
      }
      const kubelets = items.map(({ metadata, status }) => [
        'kubelet',
        metadata.name ?? '',
        status?.nodeInfo?.kubeletVersion ?? '',
        target,
      ]);
      host.print(
        `\nComponents that must be upgraded on each host, by installing ${target} and restarting 'coxswain node' there, one host after the other:\n`,
      );
      host.print(textTable([['COMPONENT', 'NODE', 'CURRENT', 'TARGET'], ['kube-apiserver', 'answering', gitVersion, target], ...kubelets]));
    },
  }),
]);
