import { UsageError } from '#base/lifecycle.ts';

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

interface StorageFlags {
  readonly 'data-dir': string;
  readonly 'etcd-cafile': string;
  readonly 'etcd-certfile': string;
  readonly 'etcd-keyfile': string;
  readonly 'etcd-prefix': string;
  readonly 'etcd-servers': readonly string[];
}

/** Etcd where its servers are given, else the embedded store. Throws UsageError. */
export function storageConfig(values: StorageFlags): StorageConfig {
  const servers = values['etcd-servers'];
  if (servers.length === 0) {
    if (values['data-dir'] === '') throw new UsageError('--data-dir is required, or --etcd-servers');
    return { engine: 'embedded', folder: values['data-dir'] };
  }
  if (values['data-dir'] !== '') throw new UsageError('--data-dir and --etcd-servers exclude each other: objects are kept in one place');
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
