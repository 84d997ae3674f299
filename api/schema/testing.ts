// What the tests of the codec share: a codec over the built-in types, and some kinds to decode.
import { ApiError } from '#api/meta/status.ts';
import { createCodec, type DecodableKind } from './codec.ts';

export const codec = createCodec();
export const kinds = {
  Pod: { group: '', version: 'v1', kind: 'Pod', schema: 'io.k8s.api.core.v1.Pod' },
  Secret: { group: '', version: 'v1', kind: 'Secret', schema: 'io.k8s.api.core.v1.Secret' },
  ConfigMap: { group: '', version: 'v1', kind: 'ConfigMap', schema: 'io.k8s.api.core.v1.ConfigMap' },
  Deployment: { group: 'apps', version: 'v1', kind: 'Deployment', schema: 'io.k8s.api.apps.v1.Deployment' },
  ReplicaSet: { group: 'apps', version: 'v1', kind: 'ReplicaSet', schema: 'io.k8s.api.apps.v1.ReplicaSet' },
  ControllerRevision: { group: 'apps', version: 'v1', kind: 'ControllerRevision', schema: 'io.k8s.api.apps.v1.ControllerRevision' },
  SubjectAccessReview: {
    group: 'authorization.k8s.io',
    version: 'v1',
    kind: 'SubjectAccessReview',
    schema: 'io.k8s.api.authorization.v1.SubjectAccessReview',
  },
  Lease: { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', schema: 'io.k8s.api.coordination.v1.Lease' },
  CustomResourceDefinition: {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    kind: 'CustomResourceDefinition',
    schema: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  },
} satisfies Record<string, DecodableKind>;
export type KindName = keyof typeof kinds;

/** Decodes a request body of this kind, with unknown fields as warnings unless `validation` says otherwise. */
export function decode(kind: KindName, text: string, validation: 'Ignore' | 'Warn' | 'Strict' = 'Warn', mediaType = 'application/json') {
  return codec.decodeBody({ bytes: Buffer.from(text), mediaType }, kinds[kind], validation);
}

/** The message of the BadRequest that `action` throws; fails where it throws none. */
export function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'BadRequest' && error.code === 400) return error.message;
    throw error;
  }
  throw new Error('was not refused');
}
