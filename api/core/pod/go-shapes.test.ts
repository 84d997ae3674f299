import { expect, test } from 'vitest';
import type { V1PodTemplateSpec } from '#api/generated/types.ts';
import { podTemplate } from '../pod-template.ts';
import { decoded } from '../../testing.ts';
import { shownTemplate } from './go-shapes.ts';

const shown = (spec: string): Record<string, Record<string, unknown>> => {
  const yaml = `metadata: {name: a}\ntemplate: {metadata: {labels: {app: web}}, spec: {${spec}}}`;
  return shownTemplate(decoded(podTemplate, yaml).template as V1PodTemplateSpec) as Record<string, Record<string, unknown>>;
};

test('metadata keeps its names, the spec has all members by those of Go, in its order', () => {
  const { Spec = {}, ...metadata } = shown(
    'hostNetwork: true, containers: [{name: c, image: i, command: [run]}], securityContext: {fsGroup: 26}',
  );
  expect(metadata).toEqual({ labels: { app: 'web' } });
  expect(JSON.stringify(Spec)).toMatch(
    /^\{"Volumes":null,"InitContainers":null,"Containers":\[\{"Name":"c","Image":"i","Command":\["run"\],"Args":null,"WorkingDir":"","Ports":null,/,
  );
  expect(JSON.stringify(Spec)).toContain(
    '"DNSPolicy":"ClusterFirst","NodeSelector":null,"ServiceAccountName":"","AutomountServiceAccountToken":null,"NodeName":"","SecurityContext":{"HostNetwork":true,"HostPID":false,"HostIPC":false,"ShareProcessNamespace":null,"HostUsers":null,"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"SupplementalGroups":null,"SupplementalGroupsPolicy":null,"FSGroup":26,',
  );
});

test('what is given is found by its name on the wire', () => {
  const volumes =
    'volumes: [{name: v, hostPath: {path: /}}, {name: w, csi: {driver: d, fsType: ext4}}, {name: x, nfs: {server: s, path: /}}]';
  const probe =
    'livenessProbe: {httpGet: {port: 80, httpHeaders: [{name: A, value: b}]}}, env: [{name: P, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]';
  const context = 'securityContext: {seLinuxOptions: {level: l}, appArmorProfile: {type: Unconfined}}, tty: true';
  const { Spec = {} } = shown(
    `${volumes}, dnsConfig: {nameservers: [10.0.0.1]}, os: {name: linux}, containers: [{name: c, image: i, ${probe}, ${context}}]`,
  );
  expect(Spec['Volumes']).toMatchObject([
    { Name: 'v', HostPath: { Path: '/', Type: '' }, NFS: null },
    { CSI: { Driver: 'd', FSType: 'ext4', NodePublishSecretRef: null } },
    { NFS: { Server: 's', ReadOnly: false } },
  ]);
  expect(Spec).toMatchObject({ DNSConfig: { Nameservers: ['10.0.0.1'], Searches: null }, OS: { Name: 'linux' } });
  expect(Spec['Containers']).toMatchObject([
    {
      LivenessProbe: { Exec: null, HTTPGet: { Path: '/', Port: 80, HTTPHeaders: [{ Name: 'A', Value: 'b' }] }, PeriodSeconds: 10 },
      Env: [{ Name: 'P', Value: '', ValueFrom: { FieldRef: { APIVersion: 'v1', FieldPath: 'metadata.name' }, FileKeyRef: null } }],
      SecurityContext: { SELinuxOptions: { User: '', Level: 'l' }, AppArmorProfile: { Type: 'Unconfined', LocalhostProfile: null } },
      TTY: true,
    },
  ]);
});
