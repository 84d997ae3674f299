import type { KindDefinition } from '#api/kind.ts';
import { takesLongToShow } from '../large/many-values.ts';
import type { Encoded } from '../registry/contract.ts';
import type { Exchange } from './exchange.ts';
import type { Wanted } from './negotiate.ts';
import { parseIncludeObject, type TableDeps } from './table.ts';

/** Makes an object's row, or its metadata alone. */
export type Excerpt = (item: Encoded) => Promise<Uint8Array> | undefined;

/** Has the process for large objects excerpt those of a list; undefined for the others, and for what is shown whole. */
export function excerptElsewhere(exchange: Exchange, wanted: Wanted, kind: KindDefinition, { clock }: Pick<TableDeps, 'clock'>): Excerpt {
  const { form, formVersion: version } = wanted;
  if (form === 'object') return () => undefined;
  const name = { group: kind.group, version: kind.version, plural: kind.names.plural };
  const include = form === 'table' ? parseIncludeObject(exchange.query) : undefined;
  const { largeWork } = exchange;
  return (item) => {
    if (!takesLongToShow(item.json) || !largeWork.knows(kind)) return undefined;
    const row = include && { include, nowMs: clock.nowMs() };
    const job = { do: 'excerpt', kind: name, json: item.json, row, version } as const;
    return largeWork.do(job, exchange.signal).then(({ bytes }) => bytes ?? nothing);
  };
}

const nothing = new Uint8Array();
