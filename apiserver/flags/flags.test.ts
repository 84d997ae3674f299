import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCiphers } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { parseConfig } from '../config.ts';
import { inertFlags } from './inert-flags.ts';

// Any file that can be read.
const file = join(import.meta.dirname, '../../package.json');
const needed = ['--data-dir=/nowhere', `--tls-cert-file=${file}`, `--tls-private-key-file=${file}`, '--advertise-address=192.0.2.1'];
const parse = (...argv: string[]) => parseConfig([...needed, ...argv]);

describe('requests', () => {
  test('what is usual', () => {
    expect(parse()).toMatchObject({
      limits: { reads: 400, writes: 200, requestMs: 60_000, minWatchSeconds: 1_800, shutdownDelayMs: 0 },
      http: { origins: [], transportSecurity: '', goawayChance: 0, streamsPerConnection: 100, sendsRetryAfter: false },
      health: { storeMs: 2_000, storeReadyMs: 2_000, startGraceMs: 0 },
      eventTtlSeconds: 3_600,
      compactionMs: 300_000,
      externalAddress: undefined,
      ciphers: undefined,
      minTls: 'TLSv1.2',
    });
  });

  test.each([
    ['--max-requests-inflight=-400', '--max-requests-inflight can not be negative value'],
    ['--max-mutating-requests-inflight=-200', '--max-mutating-requests-inflight can not be negative value'],
    ['--request-timeout=-2m', '--request-timeout can not be negative value'],
    ['--min-request-timeout=-1800', '--min-request-timeout can not be negative value'],
    ['--livez-grace-period=-1s', '--livez-grace-period can not be a negative value'],
    ['--shutdown-delay-duration=-1s', '--shutdown-delay-duration can not be negative value'],
    ['--shutdown-watch-termination-grace-period=-1s', 'shutdown-watch-termination-grace-period, if provided, can not be a negative value'],
    ['--goaway-chance=0.03', '--goaway-chance can not be less than 0 or greater than 0.02'],
    ['--goaway-chance=-0.1', '--goaway-chance can not be less than 0 or greater than 0.02'],
    ['--goaway-chance=often', 'invalid value "often" for --goaway-chance: must be a number'],
    [
      '--strict-transport-security-directives=fakevalue,includeSubDomains,preload',
      '--strict-transport-security-directives invalid, allowed values: max-age=expireTime, includeSubDomains, preload. see https://tools.ietf.org/html/rfc6797#section-6.1 for more information',
    ],
    ['--strict-transport-security-directives=preload,,', 'empty value in strict-transport-security-directives'],
    [
      '--encryption-provider-config-automatic-reload',
      '--encryption-provider-config-automatic-reload must be set with --encryption-provider-config',
    ],
    ['--service-account-jwks-uri=http://a/keys', 'service-account-jwks-uri requires https scheme, parsed as: http://a/keys'],
    ['--service-account-max-token-expiration=59m', 'the service-account-max-token-expiration must be between 1 hour and 2^32 seconds'],
  ])('%s is refused', (flag, why) => {
    expect(() => parse(flag)).toThrow(why);
  });

  test('limits of nothing at all need fairness switched off', () => {
    const none = ['--max-requests-inflight=0', '--max-mutating-requests-inflight=0'];
    expect(() => parse(...none)).toThrow('MaxRequestsInFlight=0 and MaxMutatingRequestsInFlight=0; they must add up to something positive');
    expect(parse(...none, '--enable-priority-and-fairness=false').limits).toMatchObject({ reads: 0, writes: 0 });
  });

  test('directives for browsers are one text', () => {
    const { http } = parse('--strict-transport-security-directives=max-age=31536000,includeSubDomains', '--goaway-chance=.001');
    expect(http).toMatchObject({ transportSecurity: 'max-age=31536000; includeSubDomains', goawayChance: 0.001 });
  });

  test.each([
    [],
    ['^http://foo.com$'],
    ['^http://foo.com'],
    ['://foo.com$'],
    ['//foo.com$'],
    ['^http://foo.com(:|$)'],
    ['://foo.com(:|$)'],
    ['//foo.com(:|$)'],
    ['(^foo.com$)'],
    ['^http://foo.com$,//bar.com(:|$)'],
  ])('origins may be %s', (...origins) => {
    expect(() => parse(...origins.map((one) => `--cors-allowed-origins=${one}`))).not.toThrow();
  });

  test.each([
    ['^http://foo.com$,', 'empty value in --cors-allowed-origins'],
    ...['^foo.com', '//foo.com', 'foo.com$', 'foo.com(:|$)', '^http://foo.com$,^foo.com'].map((text) => [
      text,
      '--cors-allowed-origins has an invalid regular expression: regular expression does not pin to start/end of host in the origin header',
    ]),
    ['^http://(foo$', '--cors-allowed-origins has an invalid regular expression: '],
  ])('origins may not be %s', (origins, why) => {
    expect(() => parse(`--cors-allowed-origins=${origins}`)).toThrow(why);
  });

  test('flags before an expression count', () => {
    expect(parse('--cors-allowed-origins=(?i)//foo\\.com$').http?.origins[0]?.test('https://FOO.com')).toBe(true);
  });
});

describe('TLS', () => {
  test('the oldest', () => {
    expect([parse().minTls, parse('--tls-min-version=VersionTLS12').minTls]).toEqual(['TLSv1.2', 'TLSv1.2']);
    expect(parse('--tls-min-version=VersionTLS13').minTls).toBe('TLSv1.3');
    expect(() => parse('--tls-min-version=VersionTLS10')).toThrow('--tls-min-version=VersionTLS10 is not supported');
    expect(() => parse('--tls-min-version=SSL3')).toThrow('unknown tls version "SSL3"');
  });

  test('suites go to OpenSSL by its names, and all of them are there', () => {
    const { ciphers = '' } = parse(
      '--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305,TLS_RSA_WITH_AES_256_CBC_SHA',
    );
    expect(ciphers).toBe(
      'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:AES256-SHA',
    );
    const known = getCiphers();
    for (const one of ciphers.split(':')) expect(known).toContain(one.toLowerCase());
  });

  test.each([
    ['TLS_RSA_WITH_RC4_128_SHA', "Cipher suite TLS_RSA_WITH_RC4_128_SHA not supported or doesn't exist"],
    ['constructor', "Cipher suite constructor not supported or doesn't exist"],
    ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'is missing an HTTP/2-required AES_128_GCM_SHA256 cipher (need at least one of'],
  ])('%s alone is refused', (suites, why) => {
    expect(() => parse(`--tls-cipher-suites=${suites}`)).toThrow(why);
  });

  test('with TLS 1.3 alone any suite will do', () => {
    const argv = ['--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', '--tls-min-version=VersionTLS13'];
    expect(() => parse(...argv)).not.toThrow();
  });
});

describe('API versions', () => {
  const shown = (config: string): string[] => {
    const { isShown = () => true } = parse(`--runtime-config=${config}`);
    const kinds = builtinKinds.filter(isShown);
    return ['', 'apps', 'batch'].flatMap((group) => {
      const here = kinds.filter((kind) => kind.group === group);
      return here.some(({ names }) => ['pods', 'deployments', 'jobs'].includes(names.plural))
        ? [group || 'core']
        : here.length > 0
          ? [`part of ${group}`]
          : [];
    });
  };
  const all = ['core', 'apps', 'batch'];

  test.each([
    ['', all],
    ['api/all=true', all],
    ['api/beta=false,api/alpha=false', all],
    ['apps/v1', all],
    ['apps/v1beta1=false,extensions/v1beta1=false', all],
    ['apps/v1=false', ['core', 'batch']],
    ['/v1=false', ['apps', 'batch']],
    ['v1=false', ['apps', 'batch']],
    ['api/all=false,/v1=true', ['core']],
    ['api/all=false,v1=true', ['core']],
    ['api/all=false,api/v1', ['core']],
    ['api/legacy', all],
    ['v1/pods=false', ['apps', 'batch']],
    ['api/ga=false,batch/v1', ['batch']],
    ['api/all=false,api/ga=true', all],
    ['apps/v1/deployments=false', ['core', 'part of apps', 'batch']],
    ['apps/v1=false,apps/v1/deployments=true', all],
    ['api/ga=true,apps/v1/deployments=false', ['core', 'part of apps', 'batch']],
  ])('%j', (config, expected) => {
    expect(shown(config)).toEqual(expected);
  });

  test.each([
    ['api/all=false', 'invalid runtime-config with only api/all=false'],
    ['apiall=false', 'runtime-config invalid key apiall'],
    ['apps/v1/deployments/scale=false', 'runtime-config invalid key apps/v1/deployments/scale'],
    ['api/v2=true', 'unknown api groups api/v2'],
    ['invalidgroup/version=false,another/v1=true', 'unknown api groups another/v1,invalidgroup/version'],
    ['apps/v7=true', 'group version apps/v7 that has not been registered'],
    ['apps/v1=maybe', 'invalid value of apps/v1: maybe, err: strconv.ParseBool: parsing "maybe": invalid syntax'],
    ['api/all=1', 'invalid value api/all=1'],
    ['apps/v1/Deployment=false', 'runtime-config invalid key apps/v1/Deployment'],
    [
      'resource.k8s.io/v1beta1=true',
      '--runtime-config=resource.k8s.io/v1beta1=true is not supported: of resource.k8s.io only stable versions are served',
    ],
    ['api/beta=true', '--runtime-config=api/beta=true is not supported: only stable versions are served'],
  ])('%s is refused', (config, why) => {
    expect(() => parse(`--runtime-config=${config}`)).toThrow(why);
  });
});

describe('versions', () => {
  test.each(['--emulated-version=1.36', '--emulated-version=kube=1.36', '--min-compatibility-version=kube=1.35'])(
    '%s says what is',
    (flag) => {
      expect(() => parse(flag)).not.toThrow();
    },
  );

  test.each([
    ['--emulated-version=kube=1.35', '--emulated-version=1.35 is not supported: this server behaves as 1.36 and as nothing older'],
    ['--emulated-version=1.32', 'emulation version 1.32 is not between [1.33, 1.36.0]'],
    ['--emulated-version=1.37', 'emulation version 1.37 is not between [1.33, 1.36.0]'],
    ['--emulated-version=wardle=1.2', 'component not registered: wardle'],
    ['--emulated-version=1.36.1', 'must be of the form kube=MAJOR.MINOR'],
    ['--min-compatibility-version=1.37', 'minCompatibilityVersion version 1.37 is not between [1.33, 1.36]'],
    ['--emulation-forward-compatible', 'can only be set to true if the emulation version is lower than the binary version'],
  ])('%s is refused', (flag, why) => {
    expect(() => parse(flag)).toThrow(why);
  });
});

describe('admission plugins', () => {
  test('the old flag names all that run', () => {
    expect(parse('--admission-control=NamespaceLifecycle,AlwaysPullImages').admissionPlugins).toEqual([
      'NamespaceLifecycle',
      'AlwaysPullImages',
    ]);
    expect(() => parse('--admission-control=AlwaysAdmit', '--enable-admission-plugins=NodeRestriction')).toThrow(
      'admission-control and enable-admission-plugins/disable-admission-plugins flags are mutually exclusive',
    );
  });
});

describe('flags without an effect', () => {
  test('their defaults change nothing', () => {
    const flags = Object.entries(inertFlags).flatMap(([name, { default: initial, help }]) =>
      help === 'Not supported yet' || initial === '' || Array.isArray(initial) ? [] : [[name, initial] as const],
    );
    const argv = flags.map(([name, value]) =>
      name.match(/period|interval|frequency|timeout|duration$|deadline/) ? `--${name}=${String(value)}ms` : `--${name}=${String(value)}`,
    );
    expect(flags.length).toBeGreaterThan(20);
    expect(() => parse(...argv)).not.toThrow();
  });

  test.each([
    ['--apiserver-count=0', "--apiserver-count should be a positive number, but value '0' provided"],
    ['--storage-backend=etcd2', "--storage-backend invalid, allowed values: etcd3. If not specified, it will default to 'etcd3'"],
    ['--storage-media-type=text/plain', '--storage-media-type "text/plain" invalid, allowed values: application/json, application/yaml'],
    ['--watch-cache=false', '--watch-cache=false is not supported: everything is read from the watch cache'],
    ['--watch-cache-sizes=pods', 'invalid value of watch cache size: pods'],
    ['--watch-cache-sizes=pods#many', 'could not parse size of watch cache size: pods#many'],
    ['--watch-cache-sizes=pods#-1', 'watch cache size cannot be negative: pods#-1'],
    ['--watch-cache-sizes=pods#0', '--watch-cache-sizes=pods#0 is not supported'],
    ['--enable-garbage-collector=false', '--enable-garbage-collector=false is not supported'],
    ['--endpoint-reconciler-type=none', '--endpoint-reconciler-type=none is not supported: servers keep'],
    ['--etcd-servers-overrides=/events#https://a:2379', '--etcd-servers-overrides=/events#https://a:2379 is not supported: all objects'],
    ['--tls-sni-cert-key=a,b', '--tls-sni-cert-key=a,b is not supported: the server shows one certificate'],
    ['--authorization-config=/x', '--authorization-config is not supported yet'],
    ['--authorization-webhook-config-file=/x', '--authorization-webhook-config-file is not supported yet'],
  ])('%s is refused', (flag, why) => {
    expect(() => parse(flag)).toThrow(why);
  });

  test('stand in the README, each with its reason', () => {
    const text = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
    for (const name of Object.keys(inertFlags)) expect(text).toContain(`\`--${name}\``);
  });
});
