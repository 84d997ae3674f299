// `kubeadm certs …`: what ends when, renewal, and keys for uploaded certificates.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FlagValues, parseFlags, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { fetchClusterIfThere } from '../cluster/fetch-cluster.ts';
import { type Command, command, group } from '../command.ts';
import { type ClusterConfiguration, defaultCluster, kubernetesFolder } from '../config/cluster.ts';
import { clusterFrom, readConfigFile } from '../config/document.ts';
import { initFlags, loadInit } from '../init/flags.ts';
import type { Surroundings } from '../surroundings.ts';
import { shortDuration, textTable } from '../text-table.ts';
import { authorities } from './certificates.ts';
import { generateRequests } from './generate-csr.ts';
import { certPath, readCertificate } from './key-files.ts';
import { endMs, type Folders, isExternal, type Renewable, renew, renewables } from './renewable.ts';

const flags = {
  'cert-dir': stringFlag('', `The path where the certificates are stored. (default ${defaultCluster.certificatesDir})`),
  config: stringFlag('', 'Path to a kubeadm configuration file.'),
  kubeconfig: stringFlag(`${kubernetesFolder}/admin.conf`, 'The kubeconfig file to use when talking to the cluster.'),
  'kubeconfig-dir': stringFlag(kubernetesFolder, 'The path where the kubeconfig files are stored.'),
};
const { kubeconfig: _, ...generateFlags } = flags;
const dayMs = 86_400_000;

interface Place extends Folders {
  readonly cluster: ClusterConfiguration;
}

export const certsCommand: Command = group(
  'certs',
  'Commands related to handling Kubernetes certificates',
  [
    command({
      name: 'certificate-key',
      about: 'Generate certificate keys',
      flags: {},
      run: ({ host }) => host.print(`${newCertificateKey()}\n`),
    }),
    command({
      name: 'check-expiration',
      about: 'Check certificates expiration for a Kubernetes cluster',
      flags: { ...flags, output: stringFlag('text', 'Output format. One of: text|json.', { short: 'o' }) },
      run: async ({ flags: { output, ...rest }, host }) => {
        // Whoever reads JSON reads nothing else.
        const quiet = output === 'text' ? host : { ...host, print: host.warn };
        checkExpiration(await placeOf(rest, 'check-expiration', quiet), output, host);
      },
    }),
    command({
      name: 'generate-csr',
      about: 'Generate keys and certificate signing requests',
      flags: generateFlags,
      run: async ({ flags: values }) => {
        const argv = values.config === '' ? [] : [`--config=${values.config}`];
        const { values: initValues, given } = parseFlags('', initFlags, argv);
        const { config } = loadInit(initValues, given);
        const certFolder = values['cert-dir'] || config.cluster.certificatesDir;
        await generateRequests(config, { certFolder, kubeconfigFolder: values['kubeconfig-dir'] });
      },
    }),
    group('renew', 'Renew certificates for a Kubernetes cluster', [
      command({
        name: 'all',
        about: 'Renew all available certificates',
        flags,
        run: async ({ flags: values, host }) => {
          const place = await placeOf(values, 'renew', host);
          for (const what of renewablesOf(place)) await renewOne(what, place, host);
          // The API server and etcd read their certificates again when they change.
          host.print(
            "\nDone renewing certificates. Running components use them from their next connection on; 'coxswain node' restarts those whose kubeconfig changed.\n",
          );
        },
      }),
      ...renewables.map((what) =>
        command({
          name: what.name,
          about: `Renew the ${what.about}`,
          flags,
          run: async ({ flags: values, host }) => renewOne(what, await placeOf(values, 'renew', host), host),
        }),
      ),
    ]),
  ],
  ['certificates'],
);

/** A random AES-256 key, in hex. */
export function newCertificateKey(): string {
  return randomBytes(32).toString('hex');
}

async function placeOf(values: FlagValues<typeof flags>, prefix: string, host: Surroundings): Promise<Place> {
  const document = values.config === '' ? undefined : readConfigFile(values.config).get('ClusterConfiguration');
  const found = values.config === '' ? await fetchClusterIfThere(values.kubeconfig, prefix, host) : undefined;
  const cluster = document === undefined ? (found ?? defaultCluster) : clusterFrom(document, values.config);
  return { cluster, certFolder: values['cert-dir'] || cluster.certificatesDir, kubeconfigFolder: values['kubeconfig-dir'] };
}

/** Certificates of an external etcd are managed elsewhere. */
function isOurs(ca: string, { cluster }: Place): boolean {
  return ca !== 'etcd-ca' || 'local' in cluster.etcd;
}

function renewablesOf(place: Place): readonly Renewable[] {
  return renewables.filter(({ ca }) => isOurs(ca.name, place));
}

async function renewOne(what: Renewable, place: Place, host: Surroundings): Promise<void> {
  if (!what.exists(place)) {
    host.print(`MISSING! ${what.about}\n`);
    return;
  }
  if (isExternal(what.ca, place)) {
    host.print(`Detected external ${what.ca.baseName}, ${what.about} can't be renewed\n`);
    return;
  }
  await renew(what, place, { nowMs: host.clock.nowMs(), validDays: place.cluster.certificateValidityMs / dayMs });
  host.print(`${what.about} renewed\n`);
}

interface Expiration {
  readonly name: string;
  readonly ca?: string;
  /** Undefined where the certificate is missing. */
  readonly endMs: number | undefined;
  readonly isExternal: boolean;
}

function checkExpiration(place: Place, output: string, host: Surroundings): void {
  const leaves = renewablesOf(place).map(
    (what): Expiration => ({
      name: what.name,
      ca: what.ca.name,
      endMs: what.exists(place) ? endMs(what.read(place)) : undefined,
      isExternal: isExternal(what.ca, place),
    }),
  );
  const roots = authorities
    .filter(({ name }) => isOurs(name, place))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((spec): Expiration => {
      const isThere = existsSync(certPath(place.certFolder, spec.baseName));
      const end = isThere ? endMs(readCertificate(place.certFolder, spec.baseName)) : undefined;
      return { name: spec.name, endMs: end, isExternal: isExternal(spec, place) };
    });
  if (output === 'json') return host.print(jsonOf(leaves, roots, host.clock.nowMs()));
  if (output !== 'text') throw new UsageError(`invalid value ${JSON.stringify(output)} for --output: must be text or json`);
  host.print(
    `${textTable([['CERTIFICATE', 'EXPIRES', 'RESIDUAL TIME', 'CERTIFICATE AUTHORITY', 'EXTERNALLY MANAGED'], ...leaves.map((one) => row(one, host))])}\n${textTable([['CERTIFICATE AUTHORITY', 'EXPIRES', 'RESIDUAL TIME', 'EXTERNALLY MANAGED'], ...roots.map((one) => row(one, host))])}`,
  );
}

function row({ name, ca, endMs: end, isExternal: external }: Expiration, { clock }: Surroundings): readonly string[] {
  const authority = ca === undefined ? [] : [ca];
  if (end === undefined) return [`!MISSING! ${name}`, '', '', ...authority.map(() => ''), ''];
  return [name, dateText(end), shortDuration(end - clock.nowMs()), ...authority, (external ? 'yes' : 'no').padEnd(8)];
}

/** `Nov 27, 2027 11:40 UTC`. */
function dateText(ms: number): string {
  const [, month, day, year, , time] = /^\w+, (\d+) (\w+) (\d+) ((\d\d:\d\d):\d\d)/.exec(new Date(ms).toUTCString()) ?? [];
  return `${day} ${month}, ${year} ${time} UTC`;
}

function jsonOf(leaves: readonly Expiration[], roots: readonly Expiration[], nowMs: number): string {
  const entry = ({ name, ca, endMs: end, isExternal: external }: Expiration): object => ({
    name,
    ...(end === undefined
      ? { missing: true }
      : {
          expirationDate: new Date(end).toISOString().replace('.000Z', 'Z'),
          residualTime: Math.trunc((end - nowMs) / 1_000),
          missing: false,
        }),
    externallyManaged: external,
    ...(ca === undefined ? {} : { caName: ca }),
  });
  const document = {
    kind: 'CertificateExpirationInfo',
    apiVersion: 'output.kubeadm.k8s.io/v1alpha3',
    certificates: leaves.map(entry),
    certificateAuthorities: roots.map(entry),
  };
  return `${JSON.stringify(document, null, 4)}\n`;
}
