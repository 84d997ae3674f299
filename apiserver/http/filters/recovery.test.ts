import { Agent, request } from 'undici';
import { expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import type { Log } from '#base/log.ts';
import { silentLog } from '#base/log.ts';
import { startTestApiServer } from '../../testing.ts';

test('a bug is told in plain words without its cause, which the log has', async () => {
  const kinds = builtinKinds.map((kind) =>
    kind.names.plural === 'limitranges'
      ? {
          ...kind,
          validate: (): never => {
            throw new TypeError('a secret');
          },
        }
      : kind,
  );
  const logged: string[] = [];
  const log: Log = { ...silentLog, error: (fields) => void logged.push(String((fields as { err?: unknown }).err)), child: () => log };
  await using server = await startTestApiServer({ kinds, log });
  const { credentials } = server.adminClientConfig;
  if (credentials.kind !== 'certificate') throw new Error('a certificate is expected');
  const admin = new Agent({ connect: { ca: server.ca.cert, cert: credentials.cert, key: credentials.key } });
  const answer = await request(`${server.url}/api/v1/namespaces/default/limitranges`, {
    method: 'POST',
    dispatcher: admin,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ metadata: { name: 'a' }, spec: { limits: [] } }),
  });
  expect({ code: answer.statusCode, type: answer.headers['content-type'], text: await answer.body.text() }).toEqual({
    code: 500,
    type: 'text/plain; charset=utf-8',
    text: 'This request caused apiserver to panic. Look in the logs for details.\n',
  });
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
  expect(logged).toEqual(['TypeError: a secret']);
  await admin.destroy();
});
