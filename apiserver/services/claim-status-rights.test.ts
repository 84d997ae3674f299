import { describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { clusterRoleBinding } from '#api/rbac/cluster-role-binding.ts';
import { clusterRole } from '#api/rbac/cluster-role.ts';
import { resourceClaim } from '#api/resource/resource-claim.ts';
import { systemClock } from '#base/clock.ts';
import { connect } from '#client/rest.ts';
import { type Authorizer, noRights } from '../authz/contract.ts';
import type { RequestContext, UserInfo } from '../registry/contract.ts';
import { aBody, aContext, aKind, startRegistry, type TestRegistry } from '../registry/testing.ts';
import { startTestApiServer } from '../testing.ts';
import { claimStatusRights } from './claim-status-rights.ts';

const { signal } = new AbortController();
const claims = aKind('resourceclaims');
const result = { request: 'r', driver: 'd.io', pool: 'p', device: 'x' };
const onNode = { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }] };
const allocation = { devices: { results: [result] }, nodeSelector: onNode };
const devices = [{ driver: 'd.io', pool: 'p', device: 'x' }];
const reservedFor = [{ resource: 'pods', name: 'a', uid: 'u' }];
const robot: UserInfo = { name: 'system:serviceaccount:default:driver', groups: [] };
const extra = (...nodes: string[]) => ({ extra: { 'authentication.kubernetes.io/node-name': nodes } });

/** Allows exactly these, `verb subresource namespace name`. */
function allowing(rights: readonly string[]): Authorizer {
  return {
    authorize: ({ verb, resource, subresource, namespace, name }) => {
      const isAllowed = resource === 'resourceclaims' && rights.includes(`${verb} ${subresource} ${namespace} ${name}`.trim());
      return { verdict: isAllowed ? 'allow' : 'none', reason: isAllowed ? '' : 'nobody may' };
    },
    rightsOf: () => noRights,
  };
}

/** What becomes of a status that a user writes who has these rights: the messages of a refusal, or nothing. */
async function write(rights: readonly string[], before: object, status: object, context: Partial<RequestContext> = {}): Promise<string[]> {
  let may: Authorizer = allowing(['update binding', 'arbitrary-node:update driver default d.io']);
  const plugin = claimStatusRights({ authorize: (request) => may.authorize(request), rightsOf: () => noRights });
  await using t: TestRegistry = await startRegistry({ kinds: builtinKinds, admission: [plugin] });
  const spec = { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c' } }] } };
  await t.registry.create(claims, aBody({ metadata: { name: 'a' }, spec }), aContext());
  const set = (next: object) => (found: object) => ({ ...found, status: next }) as never;
  await t.registry.change(claims, 'a', set(before), aContext({ subresource: 'status' }));
  may = allowing(rights);
  try {
    await t.registry.change(claims, 'a', set(status), aContext({ subresource: 'status', user: robot, verb: 'update', ...context }));
    return [];
  } catch (error) {
    const { details } = error as { details: { causes: { field: string; message: string }[] } };
    return details.causes.map(({ field, message }) => `${field}: ${message}`);
  }
}

const refused = (verb: string, subresource: string, where: string): string =>
  `resourceclaims.resource.k8s.io ${subresource === 'driver' ? '"d.io" ' : ''}is forbidden: User "system:serviceaccount:default:driver" cannot ${verb} resource "resourceclaims/${subresource}" in API group "resource.k8s.io" ${where}: nobody may`;
const noBinding = (verb = 'update'): string =>
  `status: Forbidden: changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="${verb}" permission: ${refused(verb, 'binding', 'at the cluster scope')}`;
const noDriver = (verbs: string, first: string): string =>
  `status.devices: Forbidden: changing status.devices requires resource="resourceclaims/driver", verb="[${verbs}]" permission: ${refused(first, 'driver', 'in the namespace "default"')}`;

describe('the status of a claim', () => {
  test.each<[string, string[], object, object, Partial<RequestContext>, string[]]>([
    ['that stays takes no right', [], { allocation }, { allocation }, {}, []],
    ['allocates by right', ['update binding'], {}, { allocation }, {}, []],
    ['does not allocate without', ['update driver', 'update status'], {}, { allocation }, {}, [noBinding()]],
    ['is patched by the right to patch', ['patch binding'], {}, { allocation }, { verb: 'patch' }, []],
    ['is patched by no other right', ['update binding'], {}, { allocation }, { verb: 'patch' }, [noBinding('patch')]],
    ['is reserved by right', ['update binding'], { allocation }, { allocation, reservedFor }, {}, []],
    ['is not reserved without', [], { allocation }, { allocation, reservedFor }, {}, [noBinding()]],
    ['is given back by whoever binds', ['update binding'], { allocation, devices }, {}, {}, []],
    ['is not given back without', [], { allocation, devices }, {}, {}, [noBinding()]],
    ['tells of devices by right', ['arbitrary-node:update driver default d.io'], { allocation }, { allocation, devices }, {}, []],
    [
      'tells of devices by no right of another driver',
      ['arbitrary-node:update driver default e.io', 'update binding', 'associated-node:update driver default d.io'],
      { allocation },
      { allocation, devices },
      {},
      [noDriver('arbitrary-node:update', 'arbitrary-node:update')],
    ],
    [
      'tells of devices on the own node',
      ['associated-node:update driver default d.io'],
      { allocation },
      { allocation, devices },
      { user: { ...robot, ...extra('n') } },
      [],
    ],
    [
      'tells of devices on the own node by the wider right',
      ['arbitrary-node:update driver default d.io'],
      { allocation },
      { allocation, devices },
      { user: { ...robot, ...extra('n') } },
      [],
    ],
    [
      'tells nothing on the own node without',
      [],
      { allocation },
      { allocation, devices },
      { user: { ...robot, ...extra('n') } },
      [noDriver('associated-node:update arbitrary-node:update', 'associated-node:update')],
    ],
    [
      'tells nothing on another node',
      ['associated-node:update driver default d.io'],
      { allocation },
      { allocation, devices },
      { user: { ...robot, ...extra('m') } },
      [noDriver('arbitrary-node:update', 'arbitrary-node:update')],
    ],
    [
      'tells nothing on two nodes at once',
      ['associated-node:update driver default d.io'],
      { allocation },
      { allocation, devices },
      { user: { ...robot, ...extra('n', 'm') } },
      [noDriver('arbitrary-node:update', 'arbitrary-node:update')],
    ],
    [
      'needs both rights for both',
      [],
      { allocation },
      { allocation, devices, reservedFor },
      {},
      [noBinding(), noDriver('arbitrary-node:update', 'arbitrary-node:update')],
    ],
  ])('%s', async (_name, rights, before, status, context, expected) => {
    expect(await write(rights, before, status, context)).toEqual(expected);
  });
});

test('the server asks for these rights, by the verb of the request', async () => {
  const server = await startTestApiServer();
  const admin = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  const bob = connect(await server.clientConfigFor('bob', []), { clock: systemClock, component: 'test' });
  try {
    const rights = ['resourceclaims', 'resourceclaims/status', 'resourceclaims/binding'];
    const rules = rights.map((resource) => ({ apiGroups: ['resource.k8s.io'], resources: [resource], verbs: ['get', 'update', 'patch'] }));
    rules[2] = { apiGroups: ['resource.k8s.io'], resources: ['resourceclaims/binding'], verbs: ['update'] };
    await admin.create(clusterRole, { metadata: { name: 'claims' }, rules }, {}, signal);
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'claims' };
    const subjects = [{ kind: 'User', name: 'bob', apiGroup: 'rbac.authorization.k8s.io' }];
    await admin.create(clusterRoleBinding, { metadata: { name: 'claims' }, roleRef, subjects }, {}, signal);
    const spec = { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c' } }] } };
    const made = await admin.create(resourceClaim, { metadata: { name: 'a', namespace: 'default' }, spec }, {}, signal);
    const key = { name: 'a', namespace: 'default' };
    const patch = (): Promise<unknown> =>
      bob.patch(resourceClaim, key, { status: { allocation } }, { type: 'merge', subresource: 'status' }, signal).catch(String);
    // The policy follows the store at once, but not in step.
    await expect.poll(patch).toContain('requires resource="resourceclaims/binding", verb="patch" permission');
    const updated = await bob.update(resourceClaim, { ...made, status: { allocation } }, { subresource: 'status' }, signal);
    expect(updated.status).toEqual({ allocation });
  } finally {
    await admin[Symbol.asyncDispose]();
    await bob[Symbol.asyncDispose]();
    await server.stop();
  }
});
