import { describe, expect, test } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1AppArmorProfile } from '#api/generated/types.ts';
import { sysctlName } from './sysctl-name.ts';
import { judgeAdmission } from './admission.ts';
import { aContainer, aPod } from './testing.ts';

const node: Node = {
  metadata: { name: 'n1', labels: { disk: 'ssd', size: '5' } },
  status: { allocatable: { cpu: '2', memory: '1Gi', pods: '3', 'ephemeral-storage': '10Gi', 'example.com/gpu': '1' } },
};
const asks = (requests: Record<string, string>): Pod => aPod({ containers: [aContainer('c', { resources: { requests } })] });
const needs = (key: string, operator: string, values: string[]): Pod =>
  aPod({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }] },
      },
    },
  });
const labelled = (labels: Record<string, string>): Pod => aPod({}, { metadata: { name: 'p', namespace: 'ns', uid: 'u', labels } });

const takes = (hostPort: number, rest: object = {}): Pod =>
  aPod({ containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort, ...rest }] }] });

describe('judgeAdmission', () => {
  test.each<[name: string, pod: Pod, active: Pod[], reason: string | undefined]>([
    ['nothing asked', aPod(), [], undefined],
    ['fits', asks({ cpu: '2', memory: '1Gi' }), [], undefined],
    ['fits beside others', asks({ cpu: '1' }), [asks({ cpu: '1' })], undefined],
    ['no CPU left', asks({ cpu: '1' }), [asks({ cpu: '1500m' })], 'OutOfcpu'],
    ['too much memory', asks({ memory: '2Gi' }), [], 'OutOfmemory'],
    ['too many pods', aPod(), [aPod(), aPod(), aPod()], 'OutOfpods'],
    ['extended resource', asks({ 'example.com/gpu': '2' }), [], 'OutOfexample.com/gpu'],
    ['extended resource that the node does not count', asks({ 'example.com/license': '2' }), [], undefined],
    ['huge pages that the node does not have', asks({ 'hugepages-2Mi': '2Mi' }), [], 'OutOfhugepages-2Mi'],
    ['selector', aPod({ nodeSelector: { disk: 'ssd' } }), [], undefined],
    ['selector of another', aPod({ nodeSelector: { disk: 'hdd' } }), [], 'NodeAffinity'],
    ['In', needs('disk', 'In', ['ssd', 'nvme']), [], undefined],
    ['NotIn', needs('disk', 'NotIn', ['ssd']), [], 'NodeAffinity'],
    ['Exists', needs('disk', 'Exists', []), [], undefined],
    ['DoesNotExist', needs('disk', 'DoesNotExist', []), [], 'NodeAffinity'],
    ['Gt', needs('size', 'Gt', ['4']), [], undefined],
    ['Lt', needs('size', 'Lt', ['5']), [], 'NodeAffinity'],
    ['a port of the host', takes(80), [takes(81), takes(80, { protocol: 'UDP' })], undefined],
    ['a port that is taken', takes(80), [takes(80)], 'NodePorts'],
    ['a port of all addresses that is taken on one', takes(80), [takes(80, { hostIP: '10.0.0.1' })], 'NodePorts'],
    ['a port of another address', takes(80, { hostIP: '10.0.0.2' }), [takes(80, { hostIP: '10.0.0.1' })], undefined],
    ['another operating system', aPod({ os: { name: 'windows' } }), [], 'PodOSNotSupported'],
    ['a label of another operating system', labelled({ 'kubernetes.io/os': 'windows' }), [], 'PodOSSelectorNodeLabelDoesNotMatch'],
    ['a label of this operating system', labelled({ 'kubernetes.io/os': 'linux' }), [], undefined],
    ['safe sysctl', aPod({ securityContext: { sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }] } }), [], undefined],
    ['safe sysctl with slashes', aPod({ securityContext: { sysctls: [{ name: 'net/ipv4/tcp_syncookies', value: '1' }] } }), [], undefined],
    ['unsafe sysctl', aPod({ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }), [], 'SysctlForbidden'],
  ])('%s', (_, pod, active, reason) => expect(judgeAdmission(pod, node, active)?.reason).toBe(reason));

  test('NoExecute taints repel whoever does not tolerate them, but no static pod', () => {
    const tainted = {
      ...node,
      spec: {
        taints: [
          { key: 'k', effect: 'NoExecute' },
          { key: 'l', effect: 'NoSchedule' },
        ],
      },
    };
    const tolerant = aPod({ tolerations: [{ key: 'k', operator: 'Exists' }] });
    const own = aPod({}, { metadata: { name: 'p', annotations: { 'kubernetes.io/config.source': 'file' } } });
    expect(judgeAdmission(aPod(), tainted, [])).toEqual({
      reason: 'TaintToleration',
      message: "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
    });
    expect([judgeAdmission(tolerant, tainted, []), judgeAdmission(own, tainted, [])]).toEqual([undefined, undefined]);
  });

  test('whoever others make way for is not refused for want of room, but for all else', () => {
    expect(judgeAdmission(asks({ cpu: '3' }), node, [], {}, true)).toBeUndefined();
    expect(
      judgeAdmission({ ...asks({ cpu: '3' }), spec: { ...asks({ cpu: '3' }).spec, nodeSelector: { disk: 'hdd' } } }, node, [], {}, true)
        ?.reason,
    ).toBe('NodeAffinity');
  });

  test('the words are upstream’s', () => {
    expect(judgeAdmission(asks({ cpu: '3' }), node, [asks({ cpu: '100m' })])?.message).toBe(
      "Node didn't have enough resource: cpu, requested: 3000, used: 100, capacity: 2000",
    );
  });

  test.each<[string, Partial<Pod['spec']>, string]>([
    ['net.ipv4.tcp_syncookies', { hostNetwork: true }, 'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled'],
    ['kernel.shm_rmid_forced', { hostIPC: true }, 'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled'],
  ])('what a pod shares with the host it may not set: %s', (name, spec, message) => {
    const pod = aPod({ ...spec, securityContext: { sysctls: [{ name, value: '1' }] } });
    expect(judgeAdmission(pod, node, [])).toEqual({ reason: 'SysctlForbidden', message });
    expect(judgeAdmission(aPod({ securityContext: { sysctls: [{ name, value: '1' }] } }), node, [])).toBeUndefined();
  });

  test('sysctls that the node allows', () => {
    const pod = aPod({ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } });
    expect(judgeAdmission(pod, node, [], { allowedSysctls: ['kernel.msg*'] })).toBeUndefined();
  });

  test.each<[name: string, profile: V1AppArmorProfile, reason: string | undefined]>([
    ['Unconfined', { type: 'Unconfined' }, undefined],
    ['RuntimeDefault', { type: 'RuntimeDefault' }, 'AppArmor'],
    ['Localhost', { type: 'Localhost', localhostProfile: 'p' }, 'AppArmor'],
  ])('AppArmor on a kernel without it: %s', (_, appArmorProfile, reason) => {
    const asking = [
      aPod({ securityContext: { appArmorProfile } }),
      aPod({ containers: [{ name: 'c', securityContext: { appArmorProfile } }] }),
    ];
    for (const pod of asking) {
      expect(judgeAdmission(pod, node, [])?.reason).toBe(reason);
      expect(judgeAdmission(pod, node, [], { hasAppArmor: true })).toBeUndefined();
    }
  });

  test('strict groups need a node that can keep to them', () => {
    const pod = aPod({ securityContext: { supplementalGroupsPolicy: 'Strict' } });
    expect(judgeAdmission(pod, node, [])).toEqual({
      reason: 'SupplementalGroupsPolicyNotSupported',
      message: 'SupplementalGroupsPolicy=Strict is not supported in this node',
    });
    const able = { ...node, status: { ...node.status, features: { supplementalGroupsPolicy: true } } };
    expect(judgeAdmission(pod, able, [])).toBeUndefined();
  });
});

test.each([
  ['kernel.shm_rmid_forced', 'kernel.shm_rmid_forced'],
  ['kernel/shm_rmid_forced', 'kernel.shm_rmid_forced'],
  ['net/ipv4/conf/eth0.100/forwarding', 'net.ipv4.conf.eth0/100.forwarding'],
  ['net.ipv4.conf.eth0/100.forwarding', 'net.ipv4.conf.eth0/100.forwarding'],
  ['plain', 'plain'],
])('the sysctl %s', (name, dotted) => expect(sysctlName(name)).toBe(dotted));
