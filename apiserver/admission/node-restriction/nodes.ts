import type { V1Node } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';
import { refusal } from '../refusal.ts';
import type { NodeWrite } from './plugin.ts';

/** Labels that a node may set on itself (k8s.io/kubelet/pkg/apis). */
const ownLabels = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);
const ownDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const kubernetesDomains = ['kubernetes.io', 'k8s.io'];
/** Labels by which administrators keep workloads to nodes that they trust. */
const restrictedDomains = ['node-restriction.kubernetes.io'];

/** A node writes only itself, and nothing by which it could draw pods to it. */
export function checkNode({ node, request }: NodeWrite): void {
  const who = `node ${JSON.stringify(node)}`;
  const { operation } = request;
  const after = request.object as V1Node | undefined;
  const before = request.previous as V1Node | undefined;
  const name = operation === 'CREATE' ? (after?.metadata?.name ?? '') : request.name;
  if (name !== node) throw refusal(request, `${who} is not allowed to modify node ${JSON.stringify(name)}`);
  const changed = forbiddenLabels(after?.metadata?.labels ?? {}, before?.metadata?.labels ?? {});
  if (operation === 'CREATE') {
    if (after?.spec?.configSource !== undefined) {
      throw refusal(request, `${who} is not allowed to create pods with a non-nil configSource`);
    }
    if (changed.length > 0) throw refusal(request, `${who} is not allowed to set the following labels: ${changed.join(', ')}`);
  }
  if (operation !== 'UPDATE') return;
  const { configSource } = after?.spec ?? {};
  if (configSource !== undefined && !equalValues(configSource, before?.spec?.configSource)) {
    throw refusal(request, `${who} is not allowed to update configSource to a new non-nil configSource`);
  }
  if (!equalValues(after?.spec?.taints ?? [], before?.spec?.taints ?? [])) throw refusal(request, `${who} is not allowed to modify taints`);
  if (changed.length > 0) throw refusal(request, `is not allowed to modify labels: ${changed.join(', ')}`);
  // The garbage collector would take it for a dependent.
  if (!equalValues(after?.metadata?.ownerReferences ?? [], before?.metadata?.ownerReferences ?? [])) {
    throw refusal(request, `${who} is not allowed to modify ownerReferences`);
  }
}

type Labels = Readonly<Record<string, string>>;

/** Labels added, changed or taken away that a node may not touch, sorted. */
function forbiddenLabels(after: Labels, before: Labels): string[] {
  const keys = new Set([...Object.keys(after), ...Object.keys(before)]);
  return [...keys].filter((key) => after[key] !== before[key] && isForbidden(key)).toSorted();
}

function isForbidden(key: string): boolean {
  const slash = key.indexOf('/');
  const domain = slash < 0 ? '' : key.slice(0, slash);
  if (isWithin(domain, restrictedDomains)) return true;
  return isWithin(domain, kubernetesDomains) && !ownLabels.has(key) && !isWithin(domain, ownDomains);
}

function isWithin(domain: string, domains: readonly string[]): boolean {
  return domains.some((one) => domain === one || domain.endsWith(`.${one}`));
}
