import type { KindDefinition } from '#api/kind.ts';
import type { Exchange } from '../http/exchange.ts';
import { readContext } from '../http/options.ts';
import type { Registry } from '../registry/contract.ts';

/** Asks admission before a connection to what an object stands for (exec, a proxy). The name is the path's, as it came. */
export async function admitConnect(exchange: Exchange, kind: KindDefinition, registry: Registry): Promise<void> {
  const context = readContext(exchange);
  await registry.admit({ kind, operation: 'CONNECT', name: exchange.info.pathName, context, object: undefined, previous: undefined });
}
