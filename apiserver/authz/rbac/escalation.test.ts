import { expect, test } from 'vitest';
import { pod } from '#api/core/pod/pod.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { AdmissionRequest, RequestContext } from '../../registry/contract.ts';
import { firstOpinion } from '../union.ts';
import { rbacEscalation } from './escalation.ts';
import { RbacPolicy } from './policy.ts';

test('lets nobody wait who writes neither roles nor bindings', () => {
  const plugin = rbacEscalation({ policy: new RbacPolicy(), authorizer: firstOpinion([]) });
  const kind = pod as unknown as KindDefinition;
  const object = { metadata: { name: 'x' } };
  const request: AdmissionRequest = { kind, operation: 'CREATE', name: 'x', context: {} as RequestContext, object, previous: undefined };
  expect(plugin.validate?.(request)).toBeUndefined();
});
