import type { Codec } from '#api/schema/codec.ts';

/** Gives the codec that reads manifests. */
export type CodecSource = () => Promise<Codec>;

/** Loads the schemas with the first manifest: nodes without static pods need none of them. */
export function lazyCodec(): CodecSource {
  let codec: Promise<Codec> | undefined;
  return () => (codec ??= import('#api/schema/codec.ts').then(({ createCodec }) => createCodec()));
}
