import { expect, test } from 'vitest';
import { HelpRequested, parseFlags } from './flags.ts';
import { version } from './version.ts';
import { versionText } from './version-flag.ts';

const run = (program: string, ...argv: string[]): string => {
  try {
    parseFlags(program, {}, argv);
    return 'goes on';
  } catch (error) {
    return error instanceof HelpRequested ? error.text : (error as Error).message;
  }
};

test.each(['kube-apiserver', 'kubelet', 'kube-proxy', 'kube-scheduler', 'kube-controller-manager'])('%s tells its version', (program) => {
  expect(run(program, '--version')).toBe(`Kubernetes ${version}\n`);
  expect(run(program, '--version=true')).toBe(`Kubernetes ${version}\n`);
  expect(run(program, '--version=raw')).toMatch(/^version\.Info\{Major:"1", Minor:"\d+", .*GitVersion:"v1\..*Platform:"\w+\/\w+"\}\n$/);
  expect(run(program, '--version=false')).toBe('goes on');
  expect(run(program, '--version=often')).toBe('invalid value "often" for --version: must be true, false or raw');
});

test('other programs have no such flag', () => {
  expect(run('coxswain up', '--version')).toBe('unknown flag: --version (see coxswain up --help)');
  expect(versionText('kubelet', '--versions')).toBeUndefined();
});
