import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { createCa, signCertificate } from '#base/pki.ts';
import { apiServerUser, subresourcesOf } from './admit.ts';
import type { Summary } from '../stats/figures.ts';
import { plenty } from '../testing.ts';
import { ServerRig } from './testing.ts';

let rig: ServerRig;

beforeAll(async () => {
  rig = await ServerRig.start();
});

afterAll(() => rig.stop());

describe('KubeletServer', () => {
  it('lets only the API server in', async () => {
    expect(await rig.ask('/healthz')).toEqual({ status: 200, text: 'ok' });
    expect(await rig.ask('/pods', 'nobody')).toEqual({ status: 401, text: 'Unauthorized' });
    const nowMs = systemClock.nowMs();
    const stranger = await signCertificate(await createCa('another', nowMs), { commonName: apiServerUser, usages: ['client'] }, nowMs);
    expect(await rig.ask('/pods', stranger)).toEqual({ status: 401, text: 'Unauthorized' });
    const forbidden = 'Forbidden (user=system:node:other, verb=get, resource=nodes, subresource(s)=[pods proxy])\n';
    expect(await rig.ask('/pods', await rig.client('system:node:other'))).toEqual({ status: 403, text: forbidden });
  });

  it('lets bearers of tokens do what they are allowed', async () => {
    expect((await rig.ask('/metrics', { token: 'figures' })).status).toBe(200);
    expect(await rig.ask('/containerLogs/shop/web/main', { token: 'figures' })).toEqual({
      status: 403,
      text: 'Forbidden (user=scraper, verb=get, resource=nodes, subresource(s)=[proxy])\n',
    });
    expect(await rig.ask('/metrics', { token: 'unknown' })).toEqual({ status: 401, text: 'Unauthorized' });
  });

  it('lets nobody in while the API server cannot be asked', async () => {
    expect(await rig.ask('/metrics', { token: 'lost' })).toEqual({ status: 401, text: 'Unauthorized' });
    expect(await rig.ask('/stats/summary', await rig.client('system:node:unlucky'))).toEqual({
      status: 500,
      text: 'Authorization error (user=system:node:unlucky, verb=get, resource=nodes, subresource(s)=[stats])',
    });
  });

  it.each([
    ['/metrics/cadvisor', ['metrics']],
    ['/metricsx', ['proxy']],
    ['/stats/summary', ['stats']],
    ['/runningpods', ['pods', 'proxy']],
    ['/healthz/ping', ['healthz', 'proxy']],
    ['/statusz', ['statusz', 'proxy']],
    ['/exec/a/b/c', ['proxy']],
  ])('%s is allowed by any of %j', (path, subresources) => {
    expect(subresourcesOf(path)).toEqual(subresources);
  });

  it('hears commands of many words', async () => {
    const words = 'a'.repeat(500_000);
    expect(await rig.ask(`/exec/shop/web/main?command=${words}&output=1`)).toEqual({ status: 400, text: 'Upgrade request required' });
  });

  it('answers logs with the cuts that are asked for', async () => {
    expect(await rig.ask('/containerLogs/shop/web/main')).toEqual({ status: 200, text: 'line 1\nline 2\nline 3\n' });
    expect((await rig.ask('/containerLogs/shop/web/main?tailLines=1')).text).toBe('line 3\n');
    expect((await rig.ask('/containerLogs/shop/web/main?limitBytes=4')).text).toBe('line');
  });

  it.each<[string, number, string]>([
    ['/containerLogs/shop/gone/main', 404, 'pod "gone" does not exist'],
    ['/containerLogs/shop/web/none', 404, 'container "none" not found in pod "web"'],
    ['/containerLogs/shop/web/late', 400, 'container "late" in pod "web" is waiting to start: ContainerCreating'],
    ['/containerLogs/shop/web/main?previous=true', 400, 'previous terminated container "main" in pod "web" not found'],
    ['/containerLogs/shop/web/main?tailLines=-1', 422, '{"message": "Invalid request."}'],
    ['/exec/shop/web/main?command=greet&output=1', 400, 'Upgrade request required'],
    ['/nothing', 404, '404 page not found'],
  ])('%s', async (path, status, text) => {
    expect(await rig.ask(path)).toEqual({ status, text });
  });

  it('runs a command', async () => {
    expect(await rig.ask('/run/shop/web/main?cmd=greet+you', undefined, 'POST')).toEqual({ status: 200, text: 'hello you\n' });
  });

  it('lists pods and what they use', async () => {
    expect(JSON.parse((await rig.ask('/pods')).text)).toMatchObject({ kind: 'PodList', items: [{ metadata: { name: 'web' } }] });
    expect(JSON.parse((await rig.ask('/runningpods')).text)).toMatchObject({ items: [{ spec: { containers: [{ name: 'main' }] } }] });
    const summary = JSON.parse((await rig.ask('/stats/summary')).text) as object;
    expect(summary).toMatchObject({ node: { nodeName: 'n1' }, pods: [{ podRef: { name: 'web' }, containers: [{ name: 'main' }] }] });
  });

  it('tells what disks, networks and the machine hold', async () => {
    const summary = JSON.parse((await rig.ask('/stats/summary')).text) as Summary;
    const { disk } = plenty;
    const amount = {
      availableBytes: disk.availableBytes,
      capacityBytes: disk.totalBytes,
      inodesFree: disk.freeInodes,
      inodes: disk.totalInodes,
    };
    expect(summary.node).toMatchObject({
      cpu: { usageCoreNanoSeconds: 5_000_000_000 },
      memory: { availableBytes: plenty.memory?.availableBytes, workingSetBytes: plenty.memory?.workingSetBytes },
      network: { name: 'eth0', rxBytes: 1, rxErrors: 2, txBytes: 3, txErrors: 4, interfaces: [{ name: 'eth0' }] },
      fs: { ...amount, usedBytes: disk.totalBytes - disk.availableBytes },
      runtime: { imageFs: { ...amount, usedBytes: 7 } },
      rlimit: { maxpid: 32_768, curproc: 100 },
      systemContainers: [
        {
          name: 'kubelet',
          startTime: '1970-01-01T00:00:02.000Z',
          cpu: { usageCoreNanoSeconds: 3_000 },
          memory: { usageBytes: 4_096, workingSetBytes: 4_096, rssBytes: 4_096, pageFaults: 5, majorPageFaults: 1 },
        },
      ],
      swap: { swapAvailableBytes: 4, swapUsageBytes: 6 },
    });
    expect(summary.pods).toMatchObject([
      {
        containers: [
          { name: 'main', rootfs: { ...amount, usedBytes: 4_096, inodesUsed: 3 }, logs: { ...amount, usedBytes: 100, inodesUsed: 1 } },
        ],
        volume: [
          { name: 'cache', ...amount, usedBytes: 10, inodesUsed: 2 },
          { name: 'token', capacityBytes: 100, availableBytes: 88, usedBytes: 12, inodes: 9, inodesFree: 4, inodesUsed: 5 },
        ],
        'ephemeral-storage': { ...amount, usedBytes: 4_206, inodesUsed: 6 },
      },
    ]);
    const small = JSON.parse((await rig.ask('/stats/summary?only_cpu_and_memory=true')).text) as Summary;
    expect(small.node.fs).toBeUndefined();
    expect(small.pods[0]?.['ephemeral-storage']).toBeUndefined();
  });

  it.each([
    ['/metrics/resource', /^container_memory_working_set_bytes\{container="main",namespace="shop",pod="web"\} 0 \d{13}$/m],
    ['/metrics/resource', /^# TYPE container_cpu_usage_seconds_total counter$/m],
    ['/metrics/resource', /^pod_memory_working_set_bytes\{namespace="shop",pod="web"\} 0 \d{13}$/m],
    ['/metrics/resource', /^container_swap_usage_bytes\{container="main",namespace="shop",pod="web"\} 0 \d{13}$/m],
    ['/metrics/resource', /^pod_swap_usage_bytes\{namespace="shop",pod="web"\} 0 \d{13}$/m],
    ['/metrics/resource', /^pod_cpu_usage_seconds_total\{namespace="shop",pod="web"\} 0 \d{13}$/m],
    ['/metrics/resource', /^node_cpu_usage_seconds_total 5 \d{13}$/m],
    ['/metrics/resource', /^node_memory_working_set_bytes 8589934592 \d{13}$/m],
    ['/metrics/resource', /^node_swap_usage_bytes 6 \d{13}$/m],
    ['/metrics/resource', /^resource_scrape_error 0$/m],
    [
      '/metrics/cadvisor',
      /^container_cpu_usage_seconds_total\{container="main",cpu="total",id="\/c0ffee",image="hello:1",name="c0ffee",namespace="shop",pod="web"\} 0 \d{13}$/m,
    ],
    ['/metrics/cadvisor', /^container_fs_usage_bytes\{container="main",.*\} 4096 \d{13}$/m],
    ['/metrics/cadvisor', /^machine_cpu_cores 4$/m],
    ['/metrics/probes', /^prober_probe_total\{container="main",.*,probe_type="Liveness",result="successful"\} 1$/m],
    ['/configz', /^\{"kubeletconfig":\{"kind":"KubeletConfiguration"\}\}$/],
    ['/debug/pprof/cmdline', /^kubelet$/],
    ['/debug/flags/v', /^unsupported http method$/],
    ['/debug/none', /^404 page not found$/],
    ['/logs/', /<a href="task\/">task\/<\/a>/],
    ['/logs/%2e%2e/version', /^404 page not found\n$/],
    ['/statusz', /^kubelet statusz$/m],
    ['/statusz', /^Paths: \/configz \/flagz \/healthz \/metrics /m],
    ['/healthz/log', /^ok$/],
    ['/healthz?verbose', /^\[\+\]ping ok\n\[\+\]log ok\n\[\+\]syncloop ok\nhealthz check passed\n$/],
    ['/metrics/slis', /^kubernetes_healthcheck\{name="syncloop",type="healthz"\} 1$/m],
    ['/flagz', /^kubelet flags\n.*\n\nv=2\n$/m],
  ])('%s has %s', async (path, line) => expect((await rig.ask(path)).text).toMatch(line));

  it('follows a log until the container ends', async () => {
    const following = rig.ask('/containerLogs/shop/web/main?follow=true&tailLines=1');
    await rig.endContainer();
    expect((await following).text).toBe('line 3\n');
  });
});

describe('a port that can only be read', () => {
  it('tells anybody of pods and figures, and nothing else', async () => {
    const plain = await ServerRig.start({ readOnly: true });
    try {
      for (const path of ['/healthz', '/pods', '/metrics', '/metrics/cadvisor', '/metrics/resource', '/metrics/probes', '/stats/summary'])
        expect((await plain.ask(path, 'nobody')).status, path).toBe(200);
      for (const path of [
        '/containerLogs/shop/web/main',
        '/runningpods',
        '/configz',
        '/debug/pprof/cmdline',
        '/logs/status',
        '/exec/shop/web/main',
      ])
        expect(await plain.ask(path, 'nobody'), path).toEqual({ status: 404, text: '404 page not found' });
      expect((await plain.ask('/pods', 'nobody', 'POST')).status).toBe(405);
      expect((await plain.ask('/metrics', 'nobody')).text).toMatch(
        /kubelet_http_requests_total\{.*path="pods",server_type="readonly"\} 1\n/,
      );
    } finally {
      await plain.stop();
    }
  });
});

describe('without handlers for debugging', () => {
  it('serves figures, but nothing that looks into containers or the process', async () => {
    const closed = await ServerRig.start({ hasStreams: false });
    try {
      expect((await closed.ask('/pods')).status).toBe(200);
      expect((await closed.ask('/stats/summary')).status).toBe(200);
      for (const path of ['/containerLogs/shop/web/main', '/runningpods', '/debug/pprof/cmdline', '/logs/status'])
        expect(await closed.ask(path), path).toEqual({ status: 405, text: 'Debug endpoints are disabled.\n' });
      expect(await closed.open('/exec/shop/web/main?command=greet&output=1', 'v5.channel.k8s.io')).toMatchObject({ status: 405 });
    } finally {
      await closed.stop();
    }
  });
});
