// The offset of a cluster's revisions: what is added to etcd's own. It lies in etcd beside the cluster's keys, not among them.
import type { EtcdConnection } from './connection.ts';
import { encodeTxn, methods } from './messages.ts';
import type { EtcdReads } from './reads.ts';

const timeoutMs = 5_000;

export interface RevisionOffset {
  /** 0 where none was ever set. */
  readonly offset: number;
  /** Etcd's newest revision. */
  readonly revision: number;
  /** Of the key. */
  readonly modRevision: number;
}

/** Where it lies for keys that start with `etcd`. */
export function offsetKey({ etcd }: { readonly etcd: string }): string {
  return `coxswain-revision-offset${etcd}`;
}

export async function readOffset(reads: EtcdReads, place: { readonly etcd: string }, signal: AbortSignal): Promise<RevisionOffset> {
  const { items, revision } = await reads.range({ key: offsetKey(place) }, signal);
  const found = items[0];
  const offset = found === undefined ? 0 : Number(Buffer.from(found.value).toString());
  return { offset, revision, modRevision: found?.modRevision ?? 0 };
}

/** Writes it, unless somebody else has since it was read. Rejects as calls do. */
export async function writeOffset(
  connection: EtcdConnection,
  place: { readonly etcd: string },
  { offset, modRevision }: Pick<RevisionOffset, 'offset' | 'modRevision'>,
  signal: AbortSignal,
): Promise<void> {
  const key = offsetKey(place);
  const guard = { key, compare: 'modRevision', equals: modRevision } as const;
  const request = encodeTxn({ guards: [guard], changes: [{ do: 'put', key, value: Buffer.from(String(offset)) }] });
  await connection.call(methods.txn, request, { timeoutMs, signal });
}
