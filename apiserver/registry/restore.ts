// Reads what another server stored under a kind's prefix: another API server that writes protobuf, or one that stores the same objects as
// another version. Only bytes that do not look like our own come here.
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { protobufType, type Codec } from '#api/schema/codec.ts';
import { magic } from '#api/schema/protobuf-wire.ts';
import { reasonOf } from '#base/write-file.ts';

/**
 * @param relatives The kind itself and those that are stored as it.
 * @returns what makes an object of `kind` of stored bytes; it throws with upstream's words where they are none.
 */
export function restoring(kind: KindDefinition, relatives: readonly KindDefinition[], codec: Codec): (bytes: Uint8Array) => KubeObject {
  // What is asked first says why nothing fits.
  const candidates = [kind, ...relatives.filter((other) => other !== kind)];
  return (bytes) => {
    const mediaType = magic.equals(bytes.subarray(0, magic.length)) ? protobufType : 'application/json';
    let firstError: unknown;
    for (const candidate of candidates) {
      try {
        const { object } = codec.decodeBody({ bytes, mediaType }, candidate, 'Ignore');
        return candidate === kind || candidate.toStored === undefined
          ? object
          : codec.decodeValue(candidate.toStored(object) as never, kind, 'Ignore').object;
      } catch (error) {
        firstError ??= error;
      }
    }
    throw new Error(withoutRequest(reasonOf(firstError)), { cause: firstError });
  };
}

/** What is wrong with the bytes, without what was asked for. */
function withoutRequest(message: string): string {
  const [, unrecognized] = /^the object provided is unrecognized \(must be of type \w+\): (.*) \([^(]*\)$/s.exec(message) ?? [];
  return unrecognized ?? message.replace(/^\S+ in version \S+ cannot be handled as a \w+: /, '');
}
