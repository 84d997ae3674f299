import { bootstrapTokenType } from '#api/core/bootstrap-token.ts';
import { type Secret, secret } from '#api/core/secret.ts';
import { again, type ControllerDefinition, defineController, done } from '#client/controller/define.ts';

/** Deletes bootstrap tokens that have ended (pkg/controller/bootstrap/tokencleaner.go). */
export function tokenCleanerController(): ControllerDefinition {
  return defineController<Secret>({
    name: 'token-cleaner-controller',
    reconciles: secret,
    reads: [],
    writes: [secret],
    async reconcile({ key, cache, client, clock, signal }) {
      const found = cache.get<Secret>(secret, key);
      if (found === undefined || key.namespace !== 'kube-system' || found.type !== bootstrapTokenType) return done;
      const leftMs = tokenEndMs(found) - clock.nowMs();
      if (leftMs === Number.POSITIVE_INFINITY) return done;
      if (leftMs > 0) return again(leftMs);
      await client.delete(secret, key, { uid: found.metadata.uid }, signal);
      return done;
    },
  });
}

/** An end that cannot be read has come. */
function tokenEndMs({ data = {} }: Secret): number {
  const text = Buffer.from(data['expiration'] ?? '', 'base64').toString('utf8');
  if (text === '') return Number.POSITIVE_INFINITY;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? Number.NEGATIVE_INFINITY : ms;
}
