import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfig } from './config.ts';

// Any file that can be read.
const file = join(import.meta.dirname, '../package.json');
const needed = ['--data-dir=/nowhere', `--tls-cert-file=${file}`, `--tls-private-key-file=${file}`, '--advertise-address=192.0.2.1'];
const parse = (...argv: string[]) => parseConfig([...needed, ...argv]);

describe('who may come in', () => {
  test('by default: whoever roles let', () => {
    const { authorizationModes, authentication } = parse();
    expect(authorizationModes).toEqual(['Node', 'RBAC']);
    expect(authentication).toMatchObject({ acceptsAnonymous: true, acceptsBootstrapTokens: false, frontProxy: undefined });
  });

  test.each<[string[], object]>([
    [['--anonymous-auth=false'], { acceptsAnonymous: false }],
    [['--authorization-mode=AlwaysAllow'], { acceptsAnonymous: false }],
    [['--enable-bootstrap-token-auth'], { acceptsBootstrapTokens: true }],
    [
      [`--requestheader-client-ca-file=${file}`, '--requestheader-username-headers=X-A,X-B', '--requestheader-allowed-names=p'],
      { frontProxy: expect.objectContaining({ allowedNames: ['p'], usernameHeaders: ['X-A', 'X-B'] }) },
    ],
  ])('%j', (argv, expected) => {
    expect(parse(...argv).authentication).toMatchObject(expected);
  });

  test.each<[string, string]>([
    ['--authorization-mode=ABAC', 'authorization-mode "ABAC" is not supported yet'],
    ['--authorization-mode=Webhook,RBAC', 'authorization-mode "Webhook" is not supported yet'],
    ['--authorization-mode=Magic', 'authorization-mode "Magic" is not a valid mode'],
    ['--authorization-mode=RBAC,RBAC', 'authorization-mode ["RBAC" "RBAC"] has mode specified more than once'],
    ['--authorization-mode=', 'at least one authorization-mode must be passed'],
    ['--oidc-issuer-url=https://x', '--oidc-issuer-url is not supported yet'],
    ['--authentication-config=/x', '--authentication-config is not supported yet'],
    ['--authentication-token-webhook-config-file=/x', '--authentication-token-webhook-config-file is not supported yet'],
    ['--token-auth-file=/no/such/file', 'cannot read /no/such/file (--token-auth-file): there is no such file'],
  ])('%s is refused', (flag, why) => {
    expect(() => parse(flag)).toThrow(why);
  });
});

test('how long pods stay on lost nodes', () => {
  expect(parse().pluginSettings.tolerationSeconds).toEqual({ notReady: 300, unreachable: 300 });
  const flags = ['--default-not-ready-toleration-seconds=5', '--default-unreachable-toleration-seconds=0'];
  expect(parse(...flags).pluginSettings.tolerationSeconds).toEqual({ notReady: 5, unreachable: 0 });
  expect(() => parse('--default-unreachable-toleration-seconds=-1')).toThrow('default-unreachable-toleration-seconds');
});

test('what hardening guides and habits ask for starts the server, too', () => {
  const { flags } = parse(
    '--profiling=false',
    '--contention-profiling=false',
    '--feature-gates=WatchList=true',
    '--service-account-lookup=true',
    '-v=4',
  );
  expect(flags).toMatchObject({ profiling: 'false', 'feature-gates': 'WatchList=true', v: '4' });
  expect(() => parse('--feature-gates=A=true')).toThrow('unrecognized feature gate: A');
  expect(() => parse('--service-account-lookup=false')).toThrow('--service-account-lookup=false is not supported');
});
