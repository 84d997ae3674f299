// The body of a DELETE. Upstream reads it with a scheme of its own, which knows little but options, takes DeleteOptions of any group and
// version (clients of old used to write their resource's), and whose errors come to the client as they are.
import type { DecodableKind } from './codec.ts';

const metaVersion = { group: 'meta.k8s.io', version: 'v1' };
/** Kinds that the scheme has in every group and version. */
const anywhere = new Set([
  'APIGroup',
  'APIGroupList',
  'APIResourceList',
  'APIVersions',
  'CreateOptions',
  'DeleteOptions',
  'Status',
  'UpdateOptions',
]);
/** Kinds that it has in meta.k8s.io/v1 alone. */
const inMeta = new Set([
  'GetOptions',
  'ListOptions',
  'PartialObjectMetadata',
  'PartialObjectMetadataList',
  'PatchOptions',
  'Table',
  'TableOptions',
  'WatchEvent',
]);

export const deleteOptionsKind: DecodableKind = {
  ...metaVersion,
  kind: 'DeleteOptions',
  schema: 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  scheme: {
    name: 'pkg/apis/meta/internalversion/scheme/register.go:27',
    knows: ({ group, version, kind }) =>
      anywhere.has(kind) || (group === metaVersion.group && version === metaVersion.version && inMeta.has(kind)),
  },
};
