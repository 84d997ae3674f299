import type { V1Pod } from '#api/generated/types.ts';
import type { AdmissionPlugin } from '../registry/contract.ts';
import { concerns } from './refusal.ts';

/** Makes nodes ask the registry for every image, so that a private image is not usable just because it is cached on the node. */
export const alwaysPullImages: AdmissionPlugin = {
  name: 'AlwaysPullImages',
  mutate: (request) => {
    const { operation, object, previous } = request;
    if (!concerns(request, 'pods') || (operation !== 'CREATE' && operation !== 'UPDATE')) return;
    const pod = object as V1Pod;
    if (previous !== undefined && !hasNewImage(pod, previous as V1Pod)) return;
    for (const container of containersOf(pod)) container.imagePullPolicy = 'Always';
    for (const { image } of pod.spec?.volumes ?? []) if (image !== undefined) image.pullPolicy = 'Always';
  },
};

function hasNewImage(next: V1Pod, previous: V1Pod): boolean {
  const known = new Set(imagesOf(previous));
  return imagesOf(next).some((image) => !known.has(image));
}

function imagesOf(pod: V1Pod): (string | undefined)[] {
  const ofVolumes = (pod.spec?.volumes ?? []).flatMap(({ image }) => (image === undefined ? [] : [image.reference]));
  return [...containersOf(pod).map(({ image }) => image), ...ofVolumes];
}

function containersOf({ spec }: V1Pod) {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
}
