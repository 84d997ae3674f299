import { readFile } from 'node:fs/promises';
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { EtcdFiles } from './facts.ts';

const limitMs = 10_000;

/** What `GET /version` of an etcd says of the server. Throws an Error that says why it cannot be had. */
export async function fetchEtcdVersion(endpoint: string, { caFile, certFile, keyFile }: EtcdFiles): Promise<string> {
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/version`;
  const tls = {
    ...(caFile === '' ? {} : { ca: await readFile(caFile) }),
    ...(certFile === '' ? {} : { cert: await readFile(certFile), key: await readFile(keyFile) }),
  };
  const text = await new Promise<string>((resolve, reject) => {
    const options = { ...tls, agent: false, timeout: limitMs } as const;
    const sent = (url.protocol === 'https:' ? requestSecure : requestPlain)(url, options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'));
        else reject(new Error(`it answered ${answer.statusCode}`));
      });
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${limitMs / 1_000} s`))).on('error', reject);
    sent.end();
  });
  const { etcdserver } = JSON.parse(text) as { etcdserver?: unknown };
  if (typeof etcdserver !== 'string') throw new Error('what answers there is no etcd');
  return etcdserver;
}
