import { expect, test } from 'vitest';
import { parseConfig } from './config.ts';

// Any file will do: nothing here looks into them.
const certificates = [`--tls-cert-file=${import.meta.filename}`, `--tls-private-key-file=${import.meta.filename}`];
const address = '--advertise-address=192.0.2.1';

test.each<[flags: string[], storage: unknown]>([
  [['--data-dir=/d'], { engine: 'embedded', folder: '/d' }],
  [
    ['--etcd-servers=http://127.0.0.1:2379,http://b:2379'],
    {
      engine: 'etcd',
      servers: ['http://127.0.0.1:2379', 'http://b:2379'],
      prefix: '/registry',
      tls: { caFile: undefined, certFile: undefined, keyFile: undefined },
    },
  ],
  [
    ['--etcd-servers=https://a', '--etcd-prefix=my/own/', '--etcd-cafile=/ca', '--etcd-certfile=/c', '--etcd-keyfile=/k'],
    { engine: 'etcd', servers: ['https://a'], prefix: '/my/own', tls: { caFile: '/ca', certFile: '/c', keyFile: '/k' } },
  ],
])('%j', (flags, storage) => {
  expect(parseConfig([...certificates, address, ...flags]).storage).toEqual(storage);
});

test.each<[flags: string[], message: string]>([
  [[], '--data-dir is required, or --etcd-servers'],
  [['--data-dir=/d', '--etcd-servers=http://a:1'], '--data-dir and --etcd-servers exclude each other: objects are kept in one place'],
  [['--etcd-servers=127.0.0.1:2379'], 'invalid value "127.0.0.1:2379" for --etcd-servers: must be such as https://127.0.0.1:2379'],
  [['--etcd-servers=https://a', '--etcd-certfile=/c'], '--etcd-certfile and --etcd-keyfile are given together or not at all'],
])('%j is refused', (flags, message) => {
  expect(() => parseConfig([...certificates, address, ...flags])).toThrow(message);
});
