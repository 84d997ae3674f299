import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { deployment } from '#api/apps/deployment.ts';
import { namespace } from '#api/core/namespace.ts';
import { service } from '#api/core/service/service.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { Client, TypedResource } from '#client/client.ts';
import type { CommandContext } from '../commands/context.ts';
import { buildDemoImages } from './images.ts';

interface DemoDeps {
  readonly client: Client;
  readonly context: CommandContext;
  /** How long to wait for the answer of the Service. */
  readonly waitMs: number;
}

const engineSocket = '/var/run/docker.sock';
const kinds: Readonly<Record<string, TypedResource<KubeObject>>> = {
  Namespace: namespace,
  Deployment: deployment,
  Service: service,
} as never;

/** Builds the demo images, applies the hello example, waits for its Service and shows what it answers. */
export async function runDemo({ client, context, waitMs }: DemoDeps, signal: AbortSignal): Promise<void> {
  const { steps, clock, bundleDir, print } = context;
  await steps.step('demo images are built', (detail) => buildDemoImages(engineSocket, join(bundleDir, 'data/hello.mjs'), detail));
  await steps.step('examples/hello.yaml is applied', () => applyExample(client, join(bundleDir, 'data/hello.yaml'), signal));
  const answer = await steps.step('the hello Service answers', async (detail) => {
    using limit = clock.deadline(signal, waitMs > 0 ? waitMs : 60_000);
    for (;;) {
      const { spec } = await client.get(service, { namespace: 'hello', name: 'hello' }, signal);
      const text = await fetchText(`http://${spec.clusterIP}/`).catch((error: unknown) => String(error));
      if (text.startsWith('Message: ')) return { text, address: spec.clusterIP };
      detail(text);
      try {
        await clock.sleep(100, limit.signal);
      } catch (error) {
        signal.throwIfAborted();
        throw new UsageError(`the hello Service did not answer in time: ${text}`, { exitCode: 4, cause: error });
      }
    }
  });
  print(`\nhttp://${answer.address}/ answered:\n${answer.text.replace(/^/gm, '  ').trimEnd()}\n\n`);
}

async function applyExample(client: Client, path: string, signal: AbortSignal): Promise<void> {
  for (const document of parseAllDocuments(readFileSync(path, 'utf8'))) {
    const object = document.toJS() as KubeObject & { kind: string };
    const kind = kinds[object.kind];
    if (kind === undefined) throw new Error(`${path}: no use for a ${object.kind}`);
    const key = { namespace: object.metadata.namespace, name: object.metadata.name ?? '' };
    await client.patch(kind, key, object, { type: 'apply', force: true, fieldManager: 'coxswain' }, signal);
  }
}

function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = get(url, { timeout: 1_000, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error('no answer within a second')));
    call.on('error', reject);
  });
}
