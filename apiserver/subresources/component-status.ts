// `componentstatuses`: asks the parts of the control plane how they are, at their usual ports on this host. Long deprecated, since it
// knows nothing of other hosts.
import { get as httpsGet } from 'node:https';
import type { ComponentStatus } from '#api/core/component-status.ts';
import { parseFieldSelector } from '#api/meta/field-selector.ts';
import { SelectorError } from '#api/meta/label-requirement.ts';
import { parseLabelSelector } from '#api/meta/label-selector.ts';
import { badRequest } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import { sendList } from '../http/list-writer.ts';
import { parseListRequest } from '../http/options.ts';
import { sendObject } from '../http/verbs/get.ts';
import { wantedOf } from '../http/verbs/verb.ts';
import { plainError } from '../registry/failures.ts';
import { plainEncoded } from '../registry/plain-encoded.ts';
import type { ListRequest } from '../registry/contract.ts';
import type { SubresourceHandler } from './contract.ts';
import { dialErrorText } from './dial-error.ts';

/** One part: asks it, and answers what it says. Rejects where it is not well. */
export interface Component {
  readonly name: string;
  readonly check: (signal: AbortSignal) => Promise<string>;
}

const timeoutMs = 20_000;

export function componentStatuses(components: readonly Component[], clock: Clock): SubresourceHandler {
  const ask = async ({ name, check }: Component, signal: AbortSignal): Promise<ComponentStatus> => {
    using deadline = clock.deadline(signal, timeoutMs);
    const [status, message] = await check(deadline.signal).then(
      (said) => ['True', said] as const,
      (error: unknown) => ['False', error instanceof Error ? error.message : String(error)] as const,
    );
    return { kind: 'ComponentStatus', apiVersion: 'v1', metadata: { name }, conditions: [{ type: 'Healthy', status, message }] };
  };
  return {
    verbs: ['get', 'list'],
    serve: async (exchange, kind, deps) => {
      const wanted = wantedOf(exchange, kind, deps);
      const name = exchange.info.pathName;
      if (name !== '') {
        const found = components.find((one) => one.name === name);
        if (found === undefined) throw plainError(`Component not found: ${name}`);
        const encoded = plainEncoded(await ask(found, exchange.signal));
        return sendObject(exchange, wanted, { code: 200, kind, encoded }, deps);
      }
      const chosen = components.filter(selection(parseListRequest(exchange.query)));
      const items = (await Promise.all(chosen.map((one) => ask(one, exchange.signal)))).map(plainEncoded);
      const answer = { items, count: items.length, resourceVersion: '', continue: '', remainingItemCount: undefined };
      return sendList(exchange, wanted, kind, answer, deps);
    },
  };
}

/** Parts have names and nothing else. Throws BadRequest. */
function selection({ labelSelector, fieldSelector }: ListRequest): (component: Component) => boolean {
  try {
    const labels = parseLabelSelector(labelSelector);
    const fields = parseFieldSelector(fieldSelector);
    return ({ name }) => labels.matches({}) && fields.matches((field) => (field === 'metadata.name' ? name : ''));
  } catch (error) {
    throw error instanceof SelectorError ? badRequest(error.message) : error;
  }
}

/** A part that serves `/healthz` over TLS on this host, with whatever certificate. */
export function localComponent(name: string, port: number): Component {
  const url = `https://127.0.0.1:${port}/healthz`;
  return {
    name,
    check: async (signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const refuse = (error: Error): void => reject(new Error(`Get ${JSON.stringify(url)}: ${dialErrorText(error)}`, { cause: error }));
      const request = httpsGet(url, { rejectUnauthorized: false, agent: false, signal }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', refuse);
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString();
          const { statusCode = 0 } = response;
          if (statusCode >= 200 && statusCode < 400) resolve(body);
          else reject(new Error(`HTTP probe failed with statuscode: ${statusCode}`));
        });
      });
      request.on('error', refuse);
      return await promise;
    },
  };
}
