import type { V1Pod, V1PodSpec } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';
import { hasReason } from '#api/meta/status.ts';
import type { RuntimeClass } from '#api/node/runtime-class.ts';
import { internalContext } from '../internal-context.ts';
import type { AdmissionPlugin, AdmissionRequest, Registry } from '../registry/contract.ts';
import { mergeTolerations } from './merge-tolerations.ts';
import { concerns, refusal } from './refusal.ts';

type Found = RuntimeClass | undefined;

/** Gives pods what their RuntimeClass says: what running them costs besides, and where that is possible. */
export function runtimeClassPlugin(registry: () => Registry): AdmissionPlugin {
  return {
    name: 'RuntimeClass',
    mutate: (request) =>
      withClass(registry, request, (spec, found) => {
        if (found?.overhead !== undefined) setOverhead(request, spec, found.overhead.podFixed);
        if (found?.scheduling !== undefined) setScheduling(request, spec, found.scheduling);
      }),
    validate: (request) => withClass(registry, request, (spec, found) => checkOverhead(request, spec, found)),
  };
}

/** Calls `act` with a new pod and its class, at once where the cache has it; other requests are none of this. */
function withClass(
  registry: () => Registry,
  request: AdmissionRequest,
  act: (spec: V1PodSpec, found: Found) => void,
): Promise<void> | undefined {
  if (request.operation !== 'CREATE' || !concerns(request, 'pods')) return undefined;
  const { spec } = request.object as V1Pod;
  if (spec === undefined) return undefined;
  const { runtimeClassName } = spec;
  if (runtimeClassName === undefined) {
    act(spec, undefined);
    return undefined;
  }
  const served = registry();
  const kind = served.find('node.k8s.io', 'v1', 'runtimeclasses');
  const known = kind && served.peek(kind, '', runtimeClassName);
  if (known !== undefined) {
    act(spec, known.object() as RuntimeClass);
    return undefined;
  }
  const missing = refusal(request, `pod rejected: RuntimeClass ${JSON.stringify(runtimeClassName)} not found`);
  if (kind === undefined) throw missing;
  // Another API server may have made it just now.
  return served.get(kind, runtimeClassName, '', internalContext({}, request.context.signal)).then(
    (found) => act(spec, found.object() as RuntimeClass),
    (error: unknown) => {
      throw hasReason(error, 'NotFound') ? missing : error;
    },
  );
}

function setOverhead(request: AdmissionRequest, spec: V1PodSpec, podFixed: Record<string, string> | undefined): void {
  if (spec.overhead !== undefined && !equalValues(spec.overhead, podFixed)) throw overheadDiffers(request);
  if (podFixed !== undefined) spec.overhead = { ...podFixed };
}

function setScheduling(
  request: AdmissionRequest,
  spec: V1PodSpec,
  { nodeSelector = {}, tolerations = [] }: NonNullable<RuntimeClass['scheduling']>,
): void {
  const wanted = { ...spec.nodeSelector };
  for (const [key, value] of Object.entries(nodeSelector)) {
    const own = Object.hasOwn(wanted, key) ? wanted[key] : value;
    if (own !== value) {
      const where = `runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`;
      throw refusal(request, `conflict: ${where}`);
    }
    wanted[key] = value;
  }
  if (Object.keys(wanted).length > 0) spec.nodeSelector = wanted;
  const merged = mergeTolerations(spec.tolerations ?? [], tolerations);
  if (merged.length > 0) spec.tolerations = merged;
}

function checkOverhead(request: AdmissionRequest, { overhead }: V1PodSpec, found: Found): void {
  if (found?.overhead !== undefined) {
    if (!equalValues(found.overhead.podFixed, overhead)) throw overheadDiffers(request);
  } else if (overhead !== undefined) {
    throw refusal(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
  }
}

function overheadDiffers(request: AdmissionRequest): Error {
  return refusal(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
}
