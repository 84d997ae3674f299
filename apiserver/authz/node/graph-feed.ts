import type { V1PersistentVolume, V1ResourceSlice, V1VolumeAttachment } from '#api/generated/types.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { Clock } from '#base/clock.ts';
import { runServices, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { type Follower, followKind } from '../../follow-kind.ts';
import type { Encoded, Registry } from '../../registry/contract.ts';
import type { NodeGraph } from './graph.ts';

interface GraphFeedDeps {
  readonly graph: NodeGraph;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a bound pod refers to stays, but for claims that are made for it: only pods with such claims are looked at again. */
const claimMarks = ['"resourceClaimStatuses"', '"extendedResourceClaimStatus"'];

/** Keeps the graph as the watch cache has it; ready once all of it is known. */
export function graphFeed({ graph, registry, clock, log }: GraphFeedDeps): Service {
  const follow = (group: string, plural: string, fieldSelector: string, follower: Follower): Service[] => {
    const kind = registry.find(group, 'v1', plural);
    return kind === undefined ? [] : [followKind({ registry, kind, fieldSelector, clock, log }, follower)];
  };
  return {
    name: 'node graph',
    run: async (signal, ready) => {
      const parts = [
        // A pod without node leads nowhere: it is not even looked at.
        ...follow('', 'pods', 'spec.nodeName!=', podFollower(graph)),
        ...follow('', 'persistentvolumes', '', {
          retain: (keys) => graph.retain('volumes', keys),
          set: (encoded) => graph.setVolume(encoded.object() as V1PersistentVolume),
          remove: (encoded) => graph.removeVolume(nameOf(encoded)),
        }),
        ...follow('storage.k8s.io', 'volumeattachments', '', {
          retain: (keys) => graph.retain('attachments', keys),
          set: (encoded) => graph.setAttachment(encoded.object() as unknown as V1VolumeAttachment),
          remove: (encoded) => graph.removeAttachment(nameOf(encoded)),
        }),
        ...follow('resource.k8s.io', 'resourceslices', '', {
          retain: (keys) => graph.retain('slices', keys),
          set: (encoded) => graph.setSlice(encoded.object() as unknown as V1ResourceSlice),
          remove: (encoded) => graph.removeSlice(nameOf(encoded)),
        }),
      ];
      await runServices(signal, parts, ready);
    },
  };
}

function podFollower(graph: NodeGraph): Follower {
  return {
    retain: (keys) => graph.retain('pods', keys),
    set: (encoded, how) => {
      if (how === 'added' || mayHaveNewClaims(encoded)) graph.setPod(encoded.object() as Pod);
    },
    remove: (encoded) => {
      const { namespace, name } = encoded.object().metadata;
      graph.removePod(namespace, name);
    },
  };
}

function mayHaveNewClaims({ json }: Encoded): boolean {
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  return claimMarks.some((mark) => bytes.includes(mark));
}

function nameOf(encoded: Encoded): string {
  return encoded.object().metadata.name ?? '';
}
