import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseFlags, HelpRequested } from '#base/flags.ts';
import { runCommand } from '../command.ts';
import { defaultCluster, type InitConfiguration } from '../config/cluster.ts';
import { yamlOf } from '../config/document.ts';
import { foldersAt } from '../folders.ts';
import { podOf } from '../manifests/component-pod.ts';
import { etcdPod } from '../manifests/components.ts';
import { recordedHost } from '../testing.ts';
import { resetCommand } from './command.ts';
import { loadReset, resetFlags } from './flags.ts';
import { etcdOf } from './phases.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubeadm-reset-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const load = (...words: readonly string[]): ReturnType<typeof loadReset> => {
  const { values, given } = parseFlags('kubeadm reset', resetFlags, words);
  return loadReset(values, given);
};

test('the member of this host and its folder are read out of its manifest', () => {
  const cluster = { ...defaultCluster, etcd: { local: { dataDir: '/data/etcd' } } };
  const config: InitConfiguration = {
    cluster,
    local: { advertiseAddress: '10.0.0.5', bindPort: 6443, node: { name: 'cp1', criSocket: '' } },
  };
  const manifest = yamlOf(podOf(etcdPod(config, foldersAt('/pki'), [], { minor: 5, patch: 0 })));
  expect(etcdOf(manifest)).toEqual({ peerUrl: 'https://10.0.0.5:2380', dataDir: '/data/etcd' });
});

test('a ResetConfiguration is heeded, and flags go over it', () => {
  const document = {
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'ResetConfiguration',
    certificatesDir: '/certs',
    cleanupTmpDir: true,
    force: true,
    ignorePreflightErrors: ['IsPrivilegedUser'],
    skipPhases: ['remove-etcd-member'],
  };
  const path = join(folder, 'reset.yaml');
  writeFileSync(path, JSON.stringify(document));
  expect(load('--config', path, '--dry-run', '--skip-phases', 'preflight')).toMatchObject({
    certFolder: '/certs',
    cleansTemporary: true,
    isForced: true,
    isDryRun: true,
    ignoredErrors: ['IsPrivilegedUser'],
    skippedPhases: ['preflight'],
  });
  expect(load()).toMatchObject({ certFolder: '/etc/kubernetes/pki', isForced: false, skippedPhases: [] });
  expect(() => load('--config', path, '--cert-dir', '/x')).toThrow("can not mix '--config' with arguments [cert-dir]");
});

test('the help lists the phases, and each explains itself', async () => {
  const help = async (...words: readonly string[]): Promise<string> => {
    const asked = await runCommand(resetCommand, [...words, '--help'], recordedHost()).catch((error: unknown) => error);
    if (!(asked instanceof HelpRequested)) throw asked;
    return asked.text;
  };
  expect(await help()).toContain('```\npreflight           Run reset pre-flight checks\nremove-etcd-member  Remove a local etcd member.\n');
  expect(await help('phase')).toMatch(/preflight +Run reset.*\n +remove-etcd-member .*\n +cleanup-node /);
  expect(await help('phase', 'cleanup-node')).toMatch(/^Run cleanup node\.[\s\S]*--cert-dir/);
});

test('an unknown phase is refused before anything is done', async () => {
  const host = recordedHost();
  await expect(runCommand(resetCommand, ['--force', '--dry-run', '--skip-phases', 'cleanup'], host)).rejects.toThrow(
    'invalid phase name: cleanup',
  );
  expect(host.printed).toEqual([]);
});
