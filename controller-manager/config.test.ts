import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '#base/lifecycle.ts';
import { parseConfig } from './config.ts';
import { upstreamTimings } from './node/lifecycle-controller.ts';

const kubeconfig = `
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:6443'}}]
users: [{name: u, user: {token: t}}]
`;

describe('flags', () => {
  let folder: string;
  const parse = (...argv: string[]) => parseConfig([`--kubeconfig=${join(folder, 'config')}`, ...argv], {});
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'controllers-'));
    writeFileSync(join(folder, 'config'), kubeconfig);
    writeFileSync(join(folder, 'ca.crt'), 'the CA');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('none: upstream’s defaults', () => {
    expect(parse()).toMatchObject({
      port: 10_257,
      leader: { namespace: 'kube-system', name: 'kube-controller-manager', leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 },
      rootCa: undefined,
      clusterCidr: undefined,
      nodeCidrBits: 24,
      loadBalancerCidr: undefined,
      nodeTimings: upstreamTimings,
      selection: ['*'],
      podCollection: { maxFinished: 12_500 },
    });
  });

  test('say what runs and how', () => {
    const config = parse(
      '--allocate-node-cidrs',
      '--cluster-cidr=10.244.0.0/16',
      '--controllers=*,-endpoints-controller',
      '--leader-elect=false',
      '--node-eviction-rate=0.5',
      '--node-monitor-grace-period=20s',
      `--root-ca-file=${join(folder, 'ca.crt')}`,
      '--terminated-pod-gc-threshold=7',
    );
    expect(config).toMatchObject({
      clusterCidr: '10.244.0.0/16',
      leader: undefined,
      rootCa: 'the CA',
      selection: ['*', '-endpoints-controller'],
      nodeTimings: { graceMs: 20_000, rates: { perSecond: 0.5, secondaryPerSecond: 0.01 } },
      podCollection: { maxFinished: 7 },
    });
  });

  test.each<[argv: string[], message: string]>([
    [['--allocate-node-cidrs'], '--allocate-node-cidrs needs --cluster-cidr'],
    [['--allocate-node-cidrs', '--cluster-cidr=10.0.0.0'], 'must be an IPv4 network'],
    [['--cluster-cidr=fd00::/64'], 'must be an IPv4 network'],
    [['--cloud-provider=aws'], 'cloud provider "aws" is not built in'],
    [
      ['--cloud-provider=external', '--load-balancer-cidr=10.0.0.0/24'],
      '--load-balancer-cidr cannot be used with --cloud-provider=external',
    ],
    [['--load-balancer-cidr=pool'], 'invalid value "pool" for --load-balancer-cidr'],
    [['--allocate-node-cidrs', '--cluster-cidr=10.0.0.0/26'], '--node-cidr-mask-size must be greater or equal than the cluster CIDR mask'],
    [['--node-eviction-rate=fast'], 'invalid value "fast" for --node-eviction-rate'],
    [['--unhealthy-zone-threshold=-1'], 'invalid value "-1" for --unhealthy-zone-threshold'],
    [['--root-ca-file=/does/not/exist'], '--root-ca-file: ENOENT'],
    [['--cluster-signing-cert-file=/x'], 'cannot specify only one of --cluster-signing-cert-file and --cluster-signing-key-file'],
    [
      ['cert', 'key', 'kubelet-client-cert', 'kubelet-client-key'].map((name) => `--cluster-signing-${name}-file=${import.meta.filename}`),
      'cannot specify --cluster-signing-{cert,key}-file and other --cluster-signing-*-file flags at the same time',
    ],
    [['stray'], 'unexpected argument "stray"'],
  ])('%j is refused', (argv, message) => {
    const refused = (): unknown => parse(...argv);
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(message);
  });
});
