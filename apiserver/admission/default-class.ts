// Classes that objects get that name none: the default StorageClass of claims and the default IngressClass of Ingresses.
import type { PersistentVolumeClaim } from '#api/core/persistent-volume-claim/persistent-volume-claim.ts';
import { classAnnotation } from '#api/core/volume/access.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { Ingress } from '#api/networking/ingress.ts';
import { defaultIngressClassAnnotation, type IngressClass } from '#api/networking/ingress-class.ts';
import { isDefaultStorageClass, type StorageClass } from '#api/storage/storage-class.ts';
import type { AdmissionPlugin, Registry } from '../registry/contract.ts';
import { concerns } from './refusal.ts';

const ingressAnnotation = 'kubernetes.io/ingress.class';

export function defaultStorageClass(registry: () => Registry): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    mutate: (request) => {
      if (request.operation !== 'CREATE' || !concerns(request, 'persistentvolumeclaims')) return;
      const { spec, metadata } = request.object as PersistentVolumeClaim;
      if (spec.storageClassName !== undefined || metadata.annotations?.[classAnnotation] !== undefined) return;
      const found = newestClass<StorageClass>(registry(), 'storage.k8s.io', 'storageclasses', isDefaultStorageClass);
      if (found !== undefined) spec.storageClassName = found;
    },
  };
}

export function defaultIngressClass(registry: () => Registry): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    mutate: (request) => {
      if (request.operation !== 'CREATE' || !concerns(request, 'ingresses', 'networking.k8s.io')) return;
      const { spec, metadata } = request.object as Ingress;
      if (spec.ingressClassName !== undefined || metadata.annotations?.[ingressAnnotation] !== undefined) return;
      const isDefault = (one: IngressClass): boolean => one.metadata.annotations?.[defaultIngressClassAnnotation] === 'true';
      const found = newestClass<IngressClass>(registry(), 'networking.k8s.io', 'ingressclasses', isDefault);
      if (found !== undefined) spec.ingressClassName = found;
    },
  };
}

/** The name of the newest default class; of equally new ones the first by name. */
function newestClass<Class extends KubeObject>(
  registry: Registry,
  group: string,
  plural: string,
  isDefault: (one: Class) => boolean,
): string | undefined {
  const kind = registry.find(group, 'v1', plural);
  if (kind === undefined) return undefined;
  const defaults = registry.peekAll(kind, '').map((one) => one.object() as Class);
  const [first, ...others] = defaults.filter(isDefault);
  if (first === undefined) return undefined;
  // They come by name, and times are texts that sort as they are.
  const madeAt = ({ metadata }: Class): string => metadata.creationTimestamp ?? '';
  return others.reduce((best, one) => (madeAt(one) > madeAt(best) ? one : best), first).metadata.name;
}
