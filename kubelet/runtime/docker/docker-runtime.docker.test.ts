import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Host } from '#test/testbed/host.ts';
import { conformanceCases } from '../conformance.ts';
import { dockerCaseNames } from './docker-cases.ts';

interface Outcome {
  readonly name: string;
  readonly failure?: string;
}

const applets = 'sh cat sleep echo ip id hostname wget ps grep mount httpd stty head tr readlink mkdir';
const imageScript = `set -e; cd "$(mktemp -d)"; mkdir -p bin tmp etc proc sys dev; cp /usr/bin/busybox bin/
  for a in ${applets}; do ln -s busybox bin/$a; done; tar c . | docker import - coxswain/conformance:1`;

let host: Host;
const outcomes = new Map<string, Outcome>();
let said = '';

beforeAll(async () => {
  host = await Host.start({ docker: true });
  await host.sh(imageScript);
  const program = join(import.meta.dirname, 'conformance-run.ts');
  const { code, stdout, stderr } = await host.exec([process.execPath, program]);
  said = stderr;
  if (code !== 0) throw new Error(`the program on the host ended with ${code}: ${stderr}`);
  for (const line of stdout.trim().split('\n')) {
    const outcome = JSON.parse(line) as Outcome;
    outcomes.set(outcome.name, outcome);
  }
});

afterAll(() => host?.stop());

describe('the Docker runtime on a host of its own', () => {
  it.each([...conformanceCases.map(({ name }) => name), ...dockerCaseNames])('%s', (name) => {
    const outcome = outcomes.get(name);
    expect(outcome, said).toBeDefined();
    expect(outcome?.failure).toBeUndefined();
  });

  it('leaves no bridge and no rules behind', async () => {
    expect(await host.sh('ip -br link; nft list tables; iptables -S DOCKER-USER')).not.toMatch(/coxswain/);
  });
});
