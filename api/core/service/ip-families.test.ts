// The rules of upstream's pkg/registry/core/service/storage/alloc.go for clusters of one family, and of two.
import { describe, expect, test } from 'vitest';
import { fillIpFamilies } from './ip-families.ts';
import type { Service } from './service.ts';

const aService = (spec: object): Service =>
  ({ metadata: { name: 'a' }, spec: { type: 'ClusterIP', selector: { a: 'b' }, ...spec } }) as Service;

/** Families and policy, or the problems. */
function filled(spec: object, before?: object, families: readonly [string, ...string[]] = ['IPv4']): unknown {
  const service = aService(spec);
  const problems = fillIpFamilies(service, before === undefined ? undefined : aService(before), families);
  if (problems.length > 0) return problems.map(({ field, message }) => `${field}: ${message}`);
  return [service.spec.ipFamilyPolicy, ...(service.spec.ipFamilies ?? [])].join(' ');
}

const policy = (value: string) => `spec.ipFamilyPolicy: Invalid value: "${value}":`;
const many = (value: string, what: string) =>
  `${policy(value)} must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;
const both = ['IPv4', 'IPv6'];
const bare = { clusterIP: 'None', clusterIPs: ['None'], selector: {} };
const six = { clusterIP: 'fd00::1', clusterIPs: ['fd00::1'] };
const four = { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] };
const twoIps = { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', 'fd00::1'] };
const noDual = `${policy('RequireDualStack')} this cluster is not configured for dual-stack services`;
const noSix = (at: number) => `spec.ipFamilies[${at}]: Invalid value: "IPv6": not configured on this cluster`;

describe('a new Service in a cluster of IPv4', () => {
  test.each<[string, object, unknown]>([
    ['says nothing', {}, 'SingleStack IPv4'],
    ['single', { ipFamilyPolicy: 'SingleStack' }, 'SingleStack IPv4'],
    ['prefers both', { ipFamilyPolicy: 'PreferDualStack' }, 'PreferDualStack IPv4'],
    ['requires both', { ipFamilyPolicy: 'RequireDualStack' }, [noDual]],
    ['IPv4', { ipFamilies: ['IPv4'] }, 'SingleStack IPv4'],
    ['IPv6', { ipFamilies: ['IPv6'] }, [noSix(0)]],
    ['two families without a policy', { ipFamilies: both }, [many('SingleStack', 'IP families')]],
    ['two families preferred', { ipFamilyPolicy: 'PreferDualStack', ipFamilies: both }, [noSix(1)]],
    ['two families required', { ipFamilyPolicy: 'RequireDualStack', ipFamilies: both }, [noDual, noSix(1)]],
    ['an address', four, 'SingleStack IPv4'],
    ['an address of IPv6', six, ['spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster']],
    [
      'two addresses',
      twoIps,
      [
        many('SingleStack', 'cluster IPs'),
        'spec.clusterIPs[1]: Invalid value: ["10.0.0.1","fd00::1"]: IPv6 is not configured on this cluster',
      ],
    ],
    [
      'an address of another family than said',
      { ...four, ipFamilies: ['IPv6'] },
      ['spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`'],
    ],
    [
      'a family that is none',
      { ipFamilies: ['IPv5'] },
      ['spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"'],
    ],
    ['headless', { clusterIP: 'None', clusterIPs: ['None'] }, 'SingleStack IPv4'],
    ['headless, requires both', { clusterIP: 'None', clusterIPs: ['None'], ipFamilyPolicy: 'RequireDualStack' }, [noDual]],
    ['headless without a selector', bare, 'RequireDualStack IPv4 IPv6'],
    ['headless without a selector, single', { ...bare, ipFamilyPolicy: 'SingleStack' }, 'SingleStack IPv4'],
    ['headless without a selector, IPv6', { ...bare, ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] }, 'SingleStack IPv6'],
    ['headless without a selector, IPv6 first', { ...bare, ipFamilies: ['IPv6'] }, 'RequireDualStack IPv6 IPv4'],
    ['a name', { type: 'ExternalName', externalName: 'a.b' }, ''],
  ])('%s', (_name, spec, expected) => expect(filled(spec)).toEqual(expected));
});

describe('an update in a cluster of IPv4', () => {
  const preferred = { ...four, ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv4'] };
  const once = { ...twoIps, ipFamilyPolicy: 'PreferDualStack', ipFamilies: both };
  const dualBare = { ...bare, ipFamilyPolicy: 'RequireDualStack', ipFamilies: both };
  test.each<[string, object, object, unknown]>([
    ['keeps the policy', { ...four, ipFamilies: ['IPv4'] }, preferred, 'PreferDualStack IPv4'],
    ['of what prefers both and stays', preferred, preferred, 'PreferDualStack IPv4'],
    ['of what had both and stays', once, once, 'PreferDualStack IPv4 IPv6'],
    ['of what had both and changes its type', { ...once, type: 'NodePort' }, once, [noSix(1)]],
    ['of an external name', {}, { type: 'ExternalName' }, 'SingleStack IPv4'],
    ['to what cannot be', { ...preferred, ipFamilyPolicy: 'RequireDualStack' }, preferred, [noDual]],
    ['to one family by the policy', { ...dualBare, ipFamilyPolicy: 'SingleStack' }, dualBare, 'SingleStack IPv4'],
    [
      'to one family without the policy',
      { ...dualBare, ipFamilies: ['IPv4'] },
      dualBare,
      [`${policy('RequireDualStack')} must be 'SingleStack' to release the secondary IP family`],
    ],
  ])('%s', (_name, spec, before, expected) => expect(filled(spec, before)).toEqual(expected));
});

test.each<[string, object, unknown]>([
  ['says nothing', {}, 'SingleStack IPv6'],
  ['prefers both', { ipFamilyPolicy: 'PreferDualStack' }, 'PreferDualStack IPv6 IPv4'],
  ['an address', four, 'SingleStack IPv4'],
])('in a cluster of both: %s', (_name, spec, expected) => expect(filled(spec, undefined, ['IPv6', 'IPv4'])).toEqual(expected));
