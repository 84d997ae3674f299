import type { KubeObject } from '#api/meta/object.ts';
import { stringifyDeep } from '#api/schema/stringify-deep.ts';
import type { Encoded } from './contract.ts';

/** An object that is in no cache, for an answer: dry-run, scale. Keeps it. */
export function plainEncoded(object: KubeObject): Encoded {
  const { kind, apiVersion, metadata, ...rest } = object;
  let json: Buffer | undefined;
  return {
    get json() {
      return (json ??= Buffer.from(stringifyDeep({ kind, apiVersion, metadata, ...rest })));
    },
    resourceVersion: metadata.resourceVersion ?? '',
    decoded: object,
    object: () => object,
  };
}
