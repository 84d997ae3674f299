import { createPublicKey } from 'node:crypto';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

let server: TestApiServer;
let agent: Agent;

beforeAll(async () => {
  server = await startTestApiServer();
  const { ca, credentials } = await server.clientConfigFor('system:serviceaccount:default:default', ['system:serviceaccounts']);
  agent = new Agent({
    connect: { ca: ca ?? '', ...(credentials.kind === 'certificate' ? { cert: credentials.cert, key: credentials.key } : {}) },
  });
});

afterAll(async () => {
  await agent.destroy();
  await server.stop();
});

async function get(path: string) {
  const { statusCode, headers, body } = await request(server.url + path, { dispatcher: agent });
  return { code: statusCode, type: headers['content-type'], caching: headers['cache-control'], json: (await body.json()) as object };
}

test('the keys are named where this server is reached, whatever the issuer is called', async () => {
  expect(await get('/.well-known/openid-configuration')).toEqual({
    code: 200,
    type: 'application/json',
    caching: 'public, max-age=3600',
    json: {
      issuer: 'https://kubernetes.default.svc.cluster.local',
      jwks_uri: `https://192.0.2.1:${server.port}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    },
  });
});

test('the keys are public ones', async () => {
  const { code, type, caching, json } = await get('/openid/v1/jwks');
  expect([code, type, caching]).toEqual([200, 'application/jwk-set+json', 'public, max-age=3600']);
  const { keys } = json as { keys: Record<string, string>[] };
  expect(keys).toHaveLength(1);
  expect(keys[0]).toMatchObject({ use: 'sig', kty: 'EC', alg: 'ES256', crv: 'P-256' });
  expect(createPublicKey({ key: keys[0] ?? {}, format: 'jwk' }).type).toBe('public');
  expect(keys[0]).not.toHaveProperty('d');
});
