// `kubeadm config …`
import { hostname } from 'node:os';
import { stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { type Command, command, group } from '../command.ts';
import { defaultBindPort, defaultCluster, dockerSocket } from './cluster.ts';
import { apiVersion, clusterFrom, clusterText, initText, readConfigFile, yamlOf } from './document.ts';

const exampleToken = {
  token: 'abcdef.0123456789abcdef',
  ttl: '24h0m0s',
  usages: ['signing', 'authentication'],
  groups: ['system:bootstrappers:kubeadm:default-node-token'],
};

export const configCommand: Command = group(
  'config',
  'Manage configuration for a kubeadm cluster persisted in a ConfigMap in the cluster',
  [
    group('print', 'Print configuration', [
      command({
        name: 'init-defaults',
        about: "Print default init configuration, that can be used for 'kubeadm init'",
        flags: {},
        run({ host }) {
          const node = { name: hostname().toLowerCase(), criSocket: dockerSocket };
          const local = { advertiseAddress: '1.2.3.4', bindPort: defaultBindPort, node };
          host.print(`${initText({ cluster: defaultCluster, local }, [exampleToken])}---\n${clusterText(defaultCluster)}`);
        },
      }),
      command({
        name: 'join-defaults',
        about: "Print default join configuration, that can be used for 'kubeadm join'",
        flags: {},
        run({ host }) {
          const { token } = exampleToken;
          const bootstrapToken = { apiServerEndpoint: 'kube-apiserver:6443', token, unsafeSkipCAVerification: true };
          const nodeRegistration = {
            criSocket: dockerSocket,
            imagePullPolicy: 'IfNotPresent',
            imagePullSerial: true,
            name: hostname().toLowerCase(),
            taints: null,
          };
          const discovery = { bootstrapToken, tlsBootstrapToken: token };
          host.print(
            yamlOf({
              apiVersion,
              caCertPath: `${defaultCluster.certificatesDir}/ca.crt`,
              discovery,
              kind: 'JoinConfiguration',
              nodeRegistration,
            }),
          );
        },
      }),
    ]),
    command({
      name: 'validate',
      about: 'Read a file containing the kubeadm configuration API and report any validation errors',
      flags: { config: stringFlag('', 'Path to a kubeadm configuration file.') },
      run({ flags, host }) {
        if (flags.config === '') throw new UsageError('the --config flag is mandatory');
        const document = readConfigFile(flags.config).get('ClusterConfiguration');
        if (document !== undefined) clusterFrom(document, flags.config);
        host.print('ok\n');
      },
    }),
  ],
);
