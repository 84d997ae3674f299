import { type ConfigMap, configMap } from '#api/core/config-map.ts';
import { type Namespace, namespace } from '#api/core/namespace.ts';
import { hasReason } from '#api/meta/status.ts';
import { type ControllerDefinition, defineController, done, on } from '#client/controller/define.ts';
import { isNamespaceGoing } from '../namespace/going.ts';

const mapName = 'kube-root-ca.crt';
const dataKey = 'ca.crt';
const description = 'kubernetes.io/description';
const descriptionText =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Upstream's root-ca-certificate-publisher: pods of every namespace find the cluster's CA in a ConfigMap. @param ca PEM text. */
export function rootCaController(ca: string): ControllerDefinition {
  return defineController<Namespace>({
    name: 'root-ca-certificate-publisher-controller',
    reconciles: namespace,
    reads: [configMap],
    writes: [configMap],
    wakes: [on<ConfigMap>(configMap, ({ metadata }) => (metadata.name === mapName ? [{ name: metadata.namespace ?? '' }] : []))],
    async reconcile({ key, cache, client, signal }) {
      const found = cache.get<Namespace>(namespace, key);
      if (found === undefined || found.metadata.deletionTimestamp !== undefined) return done;
      const existing = cache.get<ConfigMap>(configMap, { namespace: key.name, name: mapName });
      const data = { [dataKey]: ca };
      try {
        if (existing === undefined) {
          const metadata = { name: mapName, namespace: key.name, annotations: { [description]: descriptionText } };
          await client.create<ConfigMap>(configMap, { metadata, data }, {}, signal);
        } else if (existing.data?.[dataKey] !== ca || Object.keys(existing.data).length !== 1 || !isDescribed(existing)) {
          const annotations = { ...existing.metadata.annotations, [description]: descriptionText };
          await client.update<ConfigMap>(configMap, { ...existing, metadata: { ...existing.metadata, annotations }, data }, {}, signal);
        }
      } catch (error) {
        // The namespace is being deleted, or it was created concurrently: the cache will show either.
        if (!isNamespaceGoing(error) && !hasReason(error, 'NotFound', 'AlreadyExists')) throw error;
      }
      return done;
    },
  });
}

function isDescribed({ metadata }: ConfigMap): boolean {
  return (metadata.annotations?.[description] ?? '') !== '';
}
