import type { V1ServicePort } from '#api/generated/types.ts';
import type { Column } from '../../kind.ts';
import { ageColumn, labelsText, nameColumn } from '../../meta/columns.ts';
import type { Service } from './service.ts';

/** What `kubectl get services` shows. */
export const serviceColumns: readonly Column<Service>[] = [
  nameColumn,
  { name: 'Type', value: ({ spec }) => spec.type ?? '' },
  { name: 'Cluster-IP', value: ({ spec }) => spec.clusterIPs?.[0] || spec.clusterIP || '<none>' },
  { name: 'External-IP', value: externalIp },
  { name: 'Port(s)', value: ({ spec }) => (spec.ports ?? []).map(portText).join(',') || '<none>' },
  ageColumn,
  { name: 'Selector', priority: 1, value: ({ spec }) => labelsText(spec.selector) },
];

function portText({ port, nodePort = 0, protocol = '' }: V1ServicePort): string {
  return nodePort > 0 ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`;
}

function externalIp({ spec, status }: Service): string {
  const own = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return own.join(',') || '<none>';
    case 'LoadBalancer': {
      const given = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter((one) => one !== '');
      return [...[...new Set(given)].toSorted(), ...own].join(',') || '<pending>';
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return '<unknown>';
  }
}
