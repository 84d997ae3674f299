// `kubeadm config …`
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { boolFlag, listFlag, parseFlags, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { reasonOf, writeFileAtomically } from '#base/write-file.ts';
import { type Command, command, group } from '../command.ts';
import { foldersAt } from '../folders.ts';
import { controlPlanePods, etcdVersion } from '../init/control-plane-phases.ts';
import { initFlags, loadInit } from '../init/flags.ts';
import { joinFlags, loadJoin } from '../join/flags.ts';
import { kubeletConfigurationText } from '../kubelet/kubelet-files.ts';
import { dnsPod, proxyPod } from '../manifests/add-ons.ts';
import { etcdPod } from '../manifests/components.ts';
import { loadReset, resetFlags } from '../reset/flags.ts';
import { applyFlags, loadUpgrade } from '../upgrade/flags.ts';
import { defaultBindPort, defaultCluster, defaultTimeouts, dockerSocket, type InitConfiguration } from './cluster.ts';
import {
  apiVersion,
  clusterFrom,
  clusterText,
  durationText,
  initText,
  readConfigFile,
  readDocuments,
  yamlDocuments,
  yamlOf,
} from './document.ts';
import { migrated } from './migrate.ts';

const exampleToken = {
  token: 'abcdef.0123456789abcdef',
  ttl: '24h0m0s',
  usages: ['signing', 'authentication'],
  groups: ['system:bootstrappers:kubeadm:default-node-token'],
};
const timeouts = Object.fromEntries(
  Object.entries(defaultTimeouts as unknown as Readonly<Record<string, number>>).map(([name, ms]) => [
    name,
    durationText(ms).replace(/^0h/, ''),
  ]),
);
const pulling = { imagePullPolicy: 'IfNotPresent', imagePullSerial: true };
const configFlag = stringFlag('', 'Path to a kubeadm configuration file.');

const initDefaults = command({
  name: 'init-defaults',
  about: "Print default init configuration, that can be used for 'kubeadm init'",
  flags: {
    'component-configs': listFlag(
      [],
      'A list for component config API objects to print the default values for. Available values: KubeletConfiguration.',
    ),
  },
  run: ({ flags, host }) => {
    const unknown = flags['component-configs'].find((kind) => kind !== 'KubeletConfiguration');
    if (unknown !== undefined) throw new UsageError(`--component-configs: ${unknown} is not supported: only KubeletConfiguration is`);
    const node = { name: hostname().toLowerCase(), criSocket: dockerSocket };
    const local = { advertiseAddress: '1.2.3.4', bindPort: defaultBindPort, node };
    const kubelet = flags['component-configs'].length === 0 ? '' : `---\n${kubeletConfigurationText(defaultCluster)}`;
    const init = `${initText({ cluster: defaultCluster, local }, [exampleToken])}${yamlOf({ timeouts })}`;
    host.print(`${init}---\n${clusterText(defaultCluster)}${kubelet}`);
  },
});

const joinDefaults = command({
  name: 'join-defaults',
  about: "Print default join configuration, that can be used for 'kubeadm join'",
  flags: {},
  run: ({ host }) => {
    const { token } = exampleToken;
    const bootstrapToken = { apiServerEndpoint: 'kube-apiserver:6443', token, unsafeSkipCAVerification: true };
    const nodeRegistration = { criSocket: dockerSocket, ...pulling, name: hostname().toLowerCase(), taints: null };
    const discovery = { bootstrapToken, tlsBootstrapToken: token };
    const caCertPath = `${defaultCluster.certificatesDir}/ca.crt`;
    host.print(yamlOf({ apiVersion, caCertPath, discovery, kind: 'JoinConfiguration', nodeRegistration, timeouts }));
  },
});

const resetDefaults = command({
  name: 'reset-defaults',
  about: "Print default reset configuration, that can be used for 'kubeadm reset'",
  flags: {},
  run: ({ host }) => {
    const { certificatesDir } = defaultCluster;
    host.print(yamlOf({ apiVersion, certificatesDir, criSocket: dockerSocket, kind: 'ResetConfiguration', timeouts }));
  },
});

const upgradeDefaults = command({
  name: 'upgrade-defaults',
  about: "Print default upgrade configuration, that can be used for 'kubeadm upgrade'",
  flags: {},
  run: ({ host }) => {
    const changing = { certificateRenewal: true, etcdUpgrade: true, ...pulling };
    host.print(
      yamlOf({
        apiVersion,
        apply: changing,
        diff: {},
        kind: 'UpgradeConfiguration',
        node: changing,
        plan: { etcdUpgrade: true },
        timeouts,
      }),
    );
  },
});

const validate = command({
  name: 'validate',
  about: 'Read a file containing the kubeadm configuration API and report any validation errors',
  flags: { config: configFlag, 'allow-experimental-api': boolFlag(false, 'Allow validation of experimental, unreleased APIs.') },
  run: ({ flags, host }) => {
    if (flags.config === '') throw new UsageError('the --config flag is mandatory');
    const argv = [`--config=${flags.config}`];
    const documents = readConfigFile(flags.config);
    if (documents.has('InitConfiguration') || documents.has('ClusterConfiguration')) {
      const { values, given } = parseFlags('', initFlags, argv);
      loadInit(values, given);
    }
    if (documents.has('JoinConfiguration')) {
      const { values, given } = parseFlags('', joinFlags, argv);
      loadJoin(values, given, []);
    }
    if (documents.has('ResetConfiguration')) {
      const { values, given } = parseFlags('', resetFlags, argv);
      loadReset(values, given);
    }
    if (documents.has('UpgradeConfiguration')) {
      const { values, given } = parseFlags('', applyFlags, argv);
      for (const part of ['apply', 'diff', 'node', 'plan'] as const) loadUpgrade(part, values, given);
    }
    host.print('ok\n');
  },
});

const migrate = command({
  name: 'migrate',
  about:
    'Read an older version of the kubeadm configuration API types from a file, and output the similar config object for the newer version',
  flags: {
    'old-config': stringFlag(
      '',
      'Path to the kubeadm config file that is using an old API version and should be converted. This flag is mandatory.',
    ),
    'new-config': stringFlag(
      '',
      'Path to the resulting equivalent kubeadm config file using the new API version. Optional, if not specified output will be sent to STDOUT.',
    ),
    'allow-experimental-api': boolFlag(false, 'Allow migration to experimental, unreleased APIs.'),
  },
  run: ({ flags, host }) => {
    const { 'old-config': from, 'new-config': to } = flags;
    if (from === '') throw new UsageError('the --old-config flag is mandatory');
    const text = migratedText(from);
    if (to === '') host.print(text);
    else writeFileAtomically(to, text);
  },
});

/** With defaults for what the cluster shares, and checked. */
function migratedText(path: string): string {
  const documents = yamlDocuments(readText(path), path) as readonly Readonly<Record<string, unknown>>[];
  const text = migrated(documents).map(yamlOf).join('---\n');
  return [...readDocuments(text, path)]
    .map(([kind, document]) => (kind === 'ClusterConfiguration' ? clusterText(clusterFrom(document, path)) : yamlOf(document)))
    .join('---\n');
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`unable to read config from ${JSON.stringify(path)}: ${reasonOf(error)}`, { cause: error });
  }
}

const imageFlags = {
  config: configFlag,
  'image-repository': initFlags['image-repository'],
  'kubernetes-version': initFlags['kubernetes-version'],
};

const listImages = command({
  name: 'list',
  about: 'Print a list of images kubeadm will use. The configuration file is used in case any images or image repositories are customized',
  flags: { ...imageFlags, output: stringFlag('text', 'Output format. One of: text|json|yaml.', { short: 'o' }) },
  run: ({ flags: { output, ...rest }, given, host }) => {
    const images = imagesOf(loadInit({ ...parseFlags('', initFlags, []).values, ...rest }, given).config);
    const document = { kind: 'Images', apiVersion: 'output.kubeadm.k8s.io/v1alpha3', images };
    if (output === 'json') host.print(`${JSON.stringify(document, null, 4)}\n`);
    else if (output === 'yaml') host.print(yamlOf(document));
    else if (output === 'text') host.print(images.map((image) => `${image}\n`).join(''));
    else throw new UsageError(`invalid output format ${JSON.stringify(output)}: must be text, json or yaml`);
  },
});

/** Those that manifests name. Their programs are the host's, so that nothing must be pulled. */
function imagesOf(config: InitConfiguration): readonly string[] {
  const folders = foldersAt(config.cluster.certificatesDir);
  const pods = [...controlPlanePods(config, folders, folders), proxyPod(config, folders), dnsPod(config, folders)];
  return [...pods, ...('local' in config.cluster.etcd ? [etcdPod(config, folders, [], etcdVersion())] : [])].map(({ image }) => image);
}

const pullImages = command({
  name: 'pull',
  about: 'Pull images used by kubeadm',
  flags: { ...imageFlags, 'cri-socket': initFlags['cri-socket'] },
  run: ({ host }) => host.print('[config/images] Nothing to pull: the components are programs of this host\n'),
});

export const configCommand: Command = group(
  'config',
  'Manage configuration for a kubeadm cluster persisted in a ConfigMap in the cluster',
  [
    group('images', 'Interact with container images used by kubeadm', [listImages, pullImages]),
    migrate,
    group('print', 'Print configuration', [initDefaults, joinDefaults, resetDefaults, upgradeDefaults]),
    validate,
  ],
);
