// Preflight checks of an external etcd.
import type { ExternalEtcd } from '../config/cluster.ts';
import { reasonOf } from '#base/write-file.ts';
import type { Check } from './checks.ts';

/** The store's engine asks for no more; upstream, which brings an etcd of its own, asks for 3.5.24. */
const oldestEtcd = '3.4.0';

/** The files that lead to it. Where a joining host fetches them, they cannot be there yet. */
export function externalEtcdFiles({ caFile, certFile, keyFile }: ExternalEtcd): readonly Check[] {
  return [caFile, certFile, keyFile]
    .filter((path) => path !== '')
    .map((path) => ({
      name: 'ExternalEtcdClientCertificates',
      look: (facts) => (facts.exists(path) ? {} : { errors: [`${path} doesn't exist`] }),
    }));
}

/** Every member answers, and is new enough. */
export function externalEtcdVersion(etcd: ExternalEtcd): Check {
  const { endpoints, httpEndpoints = [] } = etcd;
  const asked = httpEndpoints.length > 0 ? httpEndpoints : endpoints;
  return {
    name: 'ExternalEtcdVersion',
    look: async (facts) => {
      const problems = asked.map(async (endpoint) => {
        try {
          return versionProblem(await facts.etcdVersion(endpoint, etcd));
        } catch (error) {
          return `failed to get the version of etcd from ${endpoint}: ${reasonOf(error)}`;
        }
      });
      return { errors: (await Promise.all(problems)).filter((problem) => problem !== undefined) };
    },
  };
}

function versionProblem(text: string): string | undefined {
  const found = /^(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  if (found === undefined) return `couldn't parse external etcd version ${JSON.stringify(text)}`;
  const oldest = oldestEtcd.split('.').map(Number);
  const at = found.findIndex((number, index) => number !== oldest[index]);
  if (at < 0 || (found[at] ?? 0) > (oldest[at] ?? 0)) return undefined;
  return `this version of kubeadm only supports external etcd version >= ${oldestEtcd}. Current version: ${text}`;
}
