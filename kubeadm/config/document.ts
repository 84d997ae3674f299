// Configuration files: kubeadm.k8s.io/v1beta4 as people write it, and how it becomes ours.
import { readFileSync } from 'node:fs';
import { parseAllDocuments, stringify } from 'yaml';
import { type Shape, shapeProblems } from '#base/document-shape.ts';
import { parseDurationMs } from '#base/duration.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { KeyAlgorithm } from '#base/pki.ts';
import { reasonOf } from '#base/write-file.ts';
import { type ClusterConfiguration, defaultCluster, defaultTimeouts, type InitConfiguration, type Timeouts } from './cluster.ts';
import { type EtcdDocument, etcdFrom } from './etcd.ts';

export const apiVersion = 'kubeadm.k8s.io/v1beta4';

const args: Shape = [{ name: 'string', value: 'string' }];
const component: Readonly<Record<string, Shape>> = { extraArgs: args };
const meta: Readonly<Record<string, Shape>> = { apiVersion: 'string', kind: 'string' };
const endpoint: Shape = { advertiseAddress: 'string', bindPort: 'number' };
const node: Shape = {
  name: 'string',
  criSocket: 'string',
  taints: [{ key: 'string', value: 'string', effect: 'string' }],
  kubeletExtraArgs: args,
  ignorePreflightErrors: ['string'],
  imagePullPolicy: 'string',
  imagePullSerial: 'boolean',
};
const timeouts: Shape = Object.fromEntries(Object.keys(defaultTimeouts).map((name) => [name, 'string']));
const patches: Shape = { directory: 'string' };
/** What `upgrade apply` and `upgrade node` have alike. */
const upgrade: Readonly<Record<string, Shape>> = {
  certificateRenewal: 'boolean',
  dryRun: 'boolean',
  etcdUpgrade: 'boolean',
  ignorePreflightErrors: ['string'],
  imagePullPolicy: 'string',
  imagePullSerial: 'boolean',
  patches,
  skipPhases: ['string'],
};
const kubeletVersion = 'kubelet.config.k8s.io/v1beta1';

const shapes: Readonly<Record<string, Shape>> = {
  ClusterConfiguration: {
    ...meta,
    clusterName: 'string',
    kubernetesVersion: 'string',
    controlPlaneEndpoint: 'string',
    certificatesDir: 'string',
    imageRepository: 'string',
    encryptionAlgorithm: 'string',
    certificateValidityPeriod: 'string',
    caCertificateValidityPeriod: 'string',
    networking: { serviceSubnet: 'string', podSubnet: 'string', dnsDomain: 'string' },
    apiServer: { ...component, certSANs: ['string'] },
    controllerManager: component,
    scheduler: component,
    etcd: {
      local: { ...component, dataDir: 'string', serverCertSANs: ['string'], peerCertSANs: ['string'] },
      external: { endpoints: ['string'], httpEndpoints: ['string'], caFile: 'string', certFile: 'string', keyFile: 'string' },
    },
  },
  InitConfiguration: {
    ...meta,
    bootstrapTokens: [{ token: 'string', description: 'string', ttl: 'string', expires: 'string', usages: ['string'], groups: ['string'] }],
    certificateKey: 'string',
    dryRun: 'boolean',
    localAPIEndpoint: endpoint,
    nodeRegistration: node,
    patches,
    skipPhases: ['string'],
    timeouts,
  },
  ResetConfiguration: {
    ...meta,
    certificatesDir: 'string',
    cleanupTmpDir: 'boolean',
    criSocket: 'string',
    dryRun: 'boolean',
    force: 'boolean',
    ignorePreflightErrors: ['string'],
    skipPhases: ['string'],
    timeouts,
    unmountFlags: ['string'],
  },
  UpgradeConfiguration: {
    ...meta,
    apply: {
      ...upgrade,
      allowExperimentalUpgrades: 'boolean',
      allowRCUpgrades: 'boolean',
      forceUpgrade: 'boolean',
      kubernetesVersion: 'string',
      printConfig: 'boolean',
    },
    diff: { contextLines: 'number', kubernetesVersion: 'string' },
    node: upgrade,
    plan: {
      allowExperimentalUpgrades: 'boolean',
      allowRCUpgrades: 'boolean',
      dryRun: 'boolean',
      etcdUpgrade: 'boolean',
      ignorePreflightErrors: ['string'],
      kubernetesVersion: 'string',
      printConfig: 'boolean',
    },
    timeouts,
  },
  JoinConfiguration: {
    ...meta,
    caCertPath: 'string',
    dryRun: 'boolean',
    discovery: {
      bootstrapToken: { token: 'string', apiServerEndpoint: 'string', caCertHashes: ['string'], unsafeSkipCAVerification: 'boolean' },
      file: { kubeConfigPath: 'string' },
      tlsBootstrapToken: 'string',
    },
    controlPlane: { localAPIEndpoint: endpoint, certificateKey: 'string' },
    nodeRegistration: node,
    patches,
    skipPhases: ['string'],
    timeouts,
  },
};

/** The documents of the file at `path` by their kind. Throws a UsageError that names the file. */
export function readConfigFile(path: string): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  try {
    return readDocuments(readFileSync(path, 'utf8'), path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`unable to read config from ${JSON.stringify(path)}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The documents of a file's text by their kind, checked field by field. Throws a UsageError that names document and field. */
export function readDocuments(text: string, path: string): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const found = new Map<string, Readonly<Record<string, unknown>>>();
  for (const content of yamlDocuments(text, path)) {
    const { apiVersion: version, kind } = content as { apiVersion?: unknown; kind?: unknown };
    // Configuration of other components may stand in the same file; the kubelet checks its own.
    if (version === kubeletVersion && kind === 'KubeletConfiguration') {
      if (found.has(kind)) throw new UsageError(`${path} holds more than one ${kind}`);
      found.set(kind, content as Record<string, unknown>);
      continue;
    }
    if (typeof version === 'string' && !version.startsWith('kubeadm.k8s.io/')) {
      throw new UsageError(`${path}: ${String(kind)} of ${version} is not supported: give such settings as extraArgs`);
    }
    if (version !== apiVersion) {
      throw new UsageError(
        `your configuration file ${path} uses ${JSON.stringify(version ?? '')} (kind: ${JSON.stringify(kind ?? '')}): it must be ${apiVersion}. ${version === 'kubeadm.k8s.io/v1beta3' ? `Please run 'kubeadm config migrate --old-config ${path} --new-config new.yaml'` : "Please use 'kubeadm config migrate' of an older kubeadm"}`,
      );
    }
    const shape = typeof kind === 'string' && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
    if (shape === undefined || typeof kind !== 'string') throw new UsageError(`${path}: unknown kind ${JSON.stringify(kind ?? '')}`);
    if (found.has(kind)) throw new UsageError(`${path} holds more than one ${kind}`);
    const problems = shapeProblems(content, shape);
    if (problems.length > 0) throw new UsageError(`${path}: ${kind} is invalid:\n${problems.map((line) => `\t${line}`).join('\n')}`);
    found.set(kind, content as Record<string, unknown>);
  }
  return found;
}

/** What the documents of a YAML text say, but for empty ones. Throws a UsageError that names `place` where the text is broken. */
export function yamlDocuments(text: string, place: string): readonly unknown[] {
  return parseAllDocuments(text).flatMap((document): readonly unknown[] => {
    const [problem] = document.errors;
    if (problem !== undefined) throw new UsageError(`${place} cannot be read: ${problem.message}`);
    const content: unknown = document.toJS({ maxAliasCount: 100 });
    return content === null ? [] : [content];
  });
}

/** The timeouts of a document, with upstream's for the rest. Throws a UsageError that names the field. */
export function timeoutsFrom(given: Readonly<Record<string, string>> = {}, path = ''): Timeouts {
  const own = Object.entries(given).map(([name, text]): [string, number] => {
    const ms = parseDurationMs(text);
    if (ms === undefined || ms <= 0)
      throw new UsageError(`${path}: timeouts.${name}: ${JSON.stringify(text)} must be a duration above zero`);
    return [name, ms];
  });
  return { ...defaultTimeouts, ...Object.fromEntries(own) };
}

/** What a ClusterConfiguration says, with defaults for the rest. Its shape has been checked. */
export function clusterFrom(document: Readonly<Record<string, unknown>>, path: string): ClusterConfiguration {
  const { certificateValidityPeriod, caCertificateValidityPeriod, etcd, networking, apiVersion: _, kind: __, ...rest } = document as Wire;
  const duration = (field: string, text: string | undefined, otherwise: number): number => {
    const ms = text === undefined ? otherwise : parseDurationMs(text);
    if (ms === undefined || ms <= 0) throw new UsageError(`${path}: ${field}: ${JSON.stringify(text)} must be a duration above zero`);
    return ms;
  };
  return {
    ...defaultCluster,
    ...rest,
    encryptionAlgorithm: algorithmOf(rest.encryptionAlgorithm, path),
    networking: { ...defaultCluster.networking, ...networking },
    certificateValidityMs: duration('certificateValidityPeriod', certificateValidityPeriod, defaultCluster.certificateValidityMs),
    caCertificateValidityMs: duration('caCertificateValidityPeriod', caCertificateValidityPeriod, defaultCluster.caCertificateValidityMs),
    etcd: etcdFrom(etcd, path),
  };
}

interface Wire extends Partial<Omit<ClusterConfiguration, 'etcd' | 'networking' | 'encryptionAlgorithm'>> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly encryptionAlgorithm?: string;
  readonly certificateValidityPeriod?: string;
  readonly caCertificateValidityPeriod?: string;
  readonly networking?: Partial<ClusterConfiguration['networking']>;
  readonly etcd?: EtcdDocument;
}

const algorithmNames: readonly KeyAlgorithm[] = ['ECDSA-P256', 'ECDSA-P384', 'RSA-2048', 'RSA-3072', 'RSA-4096'];

function algorithmOf(text: string | undefined, path: string): KeyAlgorithm {
  const found = algorithmNames.find((name) => name === (text ?? defaultCluster.encryptionAlgorithm));
  if (found !== undefined) return found;
  throw new UsageError(`${path}: encryptionAlgorithm: Invalid value: ${JSON.stringify(text)}: must be one of ${algorithmNames.join(', ')}`);
}

/** The ClusterConfiguration as v1beta4 YAML: what the ConfigMap kubeadm-config holds and `config print` shows. */
export function clusterText(cluster: ClusterConfiguration): string {
  const { certificateValidityMs, caCertificateValidityMs, controlPlaneEndpoint, networking, kubelet: _, ...rest } = cluster;
  const { podSubnet, ...net } = networking;
  return yamlOf({
    apiVersion,
    kind: 'ClusterConfiguration',
    ...rest,
    certificateValidityPeriod: durationText(certificateValidityMs),
    caCertificateValidityPeriod: durationText(caCertificateValidityMs),
    networking: { ...net, ...(podSubnet === '' ? {} : { podSubnet }) },
    ...(controlPlaneEndpoint === '' ? {} : { controlPlaneEndpoint }),
  });
}

/** The InitConfiguration of one host as YAML. */
export function initText({ local }: InitConfiguration, bootstrapTokens: readonly object[]): string {
  const { advertiseAddress, bindPort, node: nodeRegistration } = local;
  return yamlOf({
    apiVersion,
    kind: 'InitConfiguration',
    bootstrapTokens,
    localAPIEndpoint: { advertiseAddress, bindPort },
    nodeRegistration: { imagePullPolicy: 'IfNotPresent', imagePullSerial: true, ...nodeRegistration },
  });
}

/** YAML with sorted keys, as upstream prints it. */
export function yamlOf(value: object): string {
  return stringify(value, { sortMapEntries: true, lineWidth: 0, indentSeq: false });
}

/** Go's way: `8760h0m0s`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return `${Math.trunc(seconds / 3_600)}h${Math.trunc((seconds % 3_600) / 60)}m${seconds % 60}s`;
}
