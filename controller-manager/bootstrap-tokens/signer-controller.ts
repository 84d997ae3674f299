import { type ConfigMap, configMap } from '#api/core/config-map.ts';
import { type Secret, secret } from '#api/core/secret.ts';
import { readBootstrapToken } from '#api/core/bootstrap-token.ts';
import { again, type ControllerDefinition, defineController, done, on } from '#client/controller/define.ts';
import { planSignatures } from './sign.ts';

const clusterInfo = { namespace: 'kube-public', name: 'cluster-info' };
const tokenNamespace = 'kube-system';

/** Signs what hosts read about the cluster before they trust it, by the tokens with which they may join. */
export function bootstrapSignerController(): ControllerDefinition {
  return defineController<ConfigMap>({
    name: 'bootstrap-signer-controller',
    reconciles: configMap,
    reads: [secret],
    writes: [configMap],
    wakes: [on<Secret>(secret, ({ metadata, type }) => (isTokenType(metadata.namespace, type) ? [clusterInfo] : []))],
    async reconcile({ key, cache, client, clock, signal }) {
      if (key.namespace !== clusterInfo.namespace || key.name !== clusterInfo.name) return done;
      const found = cache.get<ConfigMap>(configMap, key);
      if (found === undefined) return done;
      const secrets = cache.list<Secret>(secret, tokenNamespace);
      const nowMs = clock.nowMs();
      const data = planSignatures(found.data ?? {}, secrets, nowMs);
      if (data !== undefined) await client.update<ConfigMap>(configMap, { ...found, data }, {}, signal);
      const endsMs = secrets.map((one) => readBootstrapToken(one)?.expiresMs ?? Number.POSITIVE_INFINITY).filter((ms) => ms > nowMs);
      const nextMs = Math.min(...endsMs, Number.POSITIVE_INFINITY);
      return nextMs === Number.POSITIVE_INFINITY ? done : again(nextMs - nowMs);
    },
  });
}

function isTokenType(namespace: string | undefined, type: string | undefined): boolean {
  return namespace === tokenNamespace && type === 'bootstrap.kubernetes.io/token';
}
