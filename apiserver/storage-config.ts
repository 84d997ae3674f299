import { type FlagValues, listFlag, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';

/** Which etcd; for every program that opens one. */
export const etcdFlags = {
  'etcd-cafile': stringFlag('', 'Certificates of the authorities that sign the certificates of etcd', { valueName: 'file' }),
  'etcd-certfile': stringFlag('', 'Client certificate for etcd', { valueName: 'file' }),
  'etcd-keyfile': stringFlag('', 'Key of the client certificate for etcd', { valueName: 'file' }),
  'etcd-prefix': stringFlag('/registry', 'What the keys in etcd start with', { valueName: 'prefix' }),
  'etcd-servers': listFlag([], 'Addresses of the members of an etcd cluster that keeps the objects; default: the embedded store'),
} as const;

/** Where objects are kept. */
export type StorageConfig =
  | { readonly engine: 'embedded'; readonly folder: string }
  | {
      readonly engine: 'etcd';
      readonly servers: readonly string[];
      /** Without a slash at its end. */
      readonly prefix: string;
      readonly tls: { readonly caFile: string | undefined; readonly certFile: string | undefined; readonly keyFile: string | undefined };
    };

type EtcdFlags = FlagValues<typeof etcdFlags>;

/** Etcd where its servers are given, else the embedded store. Throws UsageError. */
export function storageConfig(values: EtcdFlags & { readonly 'data-dir': string }): StorageConfig {
  if (values['etcd-servers'].length === 0) {
    if (values['data-dir'] === '') throw new UsageError('--data-dir is required, or --etcd-servers');
    return { engine: 'embedded', folder: values['data-dir'] };
  }
  if (values['data-dir'] !== '') throw new UsageError('--data-dir and --etcd-servers exclude each other: objects are kept in one place');
  return etcdConfig(values);
}

/** Throws UsageError for addresses that are none, and half a certificate. */
export function etcdConfig(values: EtcdFlags): StorageConfig {
  const servers = values['etcd-servers'];
  const odd = servers.find((server) => !/^https?:\/\/[^/]+\/?$/.test(server) || !URL.canParse(server));
  if (odd !== undefined) {
    throw new UsageError(`invalid value ${JSON.stringify(odd)} for --etcd-servers: must be such as https://127.0.0.1:2379`);
  }
  if ((values['etcd-certfile'] === '') !== (values['etcd-keyfile'] === '')) {
    throw new UsageError('--etcd-certfile and --etcd-keyfile are given together or not at all');
  }
  const file = (name: 'etcd-cafile' | 'etcd-certfile' | 'etcd-keyfile'): string | undefined => values[name] || undefined;
  return {
    engine: 'etcd',
    servers,
    prefix: `/${values['etcd-prefix'].replaceAll(/^\/+|\/+$/g, '')}`,
    tls: { caFile: file('etcd-cafile'), certFile: file('etcd-certfile'), keyFile: file('etcd-keyfile') },
  };
}
