// The `etcd` of a ClusterConfiguration: local on the hosts, or external. Words as upstream's
// cmd/kubeadm/app/apis/kubeadm/validation.
import { isAbsolute } from 'node:path';
import { UsageError } from '#base/lifecycle.ts';
import type { ClusterConfiguration, ExternalEtcd, LocalEtcd } from './cluster.ts';

/** As a file says it. */
export interface EtcdDocument {
  readonly local?: Partial<LocalEtcd>;
  readonly external?: Partial<ExternalEtcd>;
}

/** With defaults filled in. Throws a UsageError that names every field that is wrong. */
export function etcdFrom({ local, external }: EtcdDocument = {}, path: string): ClusterConfiguration['etcd'] {
  if (external === undefined) return { local: { dataDir: '/var/lib/etcd', ...local } };
  if (local !== undefined) throw new UsageError(`${path}: etcd: Forbidden: .Etcd.Local and .Etcd.External are mutually exclusive`);
  const etcd: ExternalEtcd = { endpoints: [], caFile: '', certFile: '', keyFile: '', ...external };
  const problems = externalEtcdProblems(etcd);
  if (problems.length > 0) throw new UsageError(problems.map((line) => `${path}: ${line}`).join('\n'));
  return { external: etcd };
}

/** What is wrong with it; nothing for a good one. */
function externalEtcdProblems({ endpoints, httpEndpoints = [], caFile, certFile, keyFile }: ExternalEtcd): readonly string[] {
  const at = 'etcd.external';
  const files = { caFile, certFile, keyFile };
  const needsTls = Object.values(files).some((file) => file !== '');
  return [
    ...((certFile === '') === (keyFile === '')
      ? []
      : [`${at}: Invalid value: "": either both or none of .Etcd.External.CertFile and .Etcd.External.KeyFile must be set`]),
    ...(certFile !== '' && keyFile !== '' && caFile === ''
      ? [`${at}: Invalid value: "": setting .Etcd.External.CertFile and .Etcd.External.KeyFile requires .Etcd.External.CAFile`]
      : []),
    ...(endpoints.length === 0 ? [`${at}.endpoints: Required value: at least one address of etcd`] : []),
    ...endpoints.flatMap((url) => urlProblems(`${at}.endpoints`, url, needsTls)),
    ...httpEndpoints.flatMap((url) => urlProblems(`${at}.httpEndpoints`, url, needsTls)),
    ...Object.entries(files)
      .filter(([, file]) => file !== '' && !isAbsolute(file))
      .map(([name, file]) => `${at}.${name}: Invalid value: ${JSON.stringify(file)}: path is not absolute`),
  ];
}

function urlProblems(field: string, text: string, needsTls: boolean): readonly string[] {
  const wrong = (why: string): readonly string[] => [`${field}: Invalid value: ${JSON.stringify(text)}: ${why}`];
  // `host:2379` would be read as an URL of the scheme `host`.
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return wrong('the URL without scheme is not allowed');
  if (!URL.canParse(text)) return wrong('URL parse error');
  return needsTls && !text.startsWith('https://') ? wrong('the URL must be using the HTTPS scheme') : [];
}
