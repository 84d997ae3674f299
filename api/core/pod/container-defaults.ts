import type {
  V1Container,
  V1ContainerPort,
  V1EnvVar,
  V1EphemeralContainer,
  V1HTTPGetAction,
  V1LifecycleHandler,
  V1Probe,
  V1ResourceRequirements,
} from '#api/generated/types.ts';
import { formatQuantity, parseQuantity, QuantityError, roundToMilli } from '../../meta/quantity.ts';

/** What upstream fills into every container of a pod or template. */
export function defaultContainer(container: V1Container): void {
  defaultImageAndTermination(container);
  for (const port of container.ports ?? []) defaultProtocol(port);
  for (const variable of container.env ?? []) defaultEnvVar(variable);
  container.resources = defaultResources(container.resources);
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) defaultProbe(probe);
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
  dropStopSignal(container);
}

/** Behind a gate that is off by default: upstream drops it without a word, and the whole member where it says nothing else. */
function dropStopSignal(container: V1Container): void {
  if (container.lifecycle?.stopSignal === undefined) return;
  const { stopSignal: _dropped, ...lifecycle } = container.lifecycle;
  if (lifecycle.postStart === undefined && lifecycle.preStop === undefined) delete container.lifecycle;
  else container.lifecycle = lifecycle;
}

/** As for other containers, as far as ephemeral ones have the fields. */
export function defaultEphemeralContainer(container: V1EphemeralContainer): void {
  defaultImageAndTermination(container);
  for (const port of container.ports ?? []) defaultProtocol(port);
  for (const variable of container.env ?? []) defaultEnvVar(variable);
  container.resources = defaultResources(container.resources);
}

function defaultImageAndTermination(container: V1Container | V1EphemeralContainer): void {
  if (isUnset(container.imagePullPolicy)) container.imagePullPolicy = defaultPullPolicy(container.image);
  if (isUnset(container.terminationMessagePath)) container.terminationMessagePath = '/dev/termination-log';
  if (isUnset(container.terminationMessagePolicy)) container.terminationMessagePolicy = 'File';
}

/** Always for `latest`, said or meant; IfNotPresent for other tags, digests, and what cannot be read. */
export function defaultPullPolicy(image: string | undefined): 'Always' | 'IfNotPresent' {
  if (image === undefined || image === '' || image.includes('@')) return 'IfNotPresent';
  const name = image.slice(image.lastIndexOf('/') + 1);
  // Upstream's parser refuses upper case in repositories and odd tags, and then knows no tag.
  if (!/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?::[\w][\w.-]{0,127})?$/.test(name)) return 'IfNotPresent';
  const colon = name.indexOf(':');
  return colon < 0 || name.slice(colon + 1) === 'latest' ? 'Always' : 'IfNotPresent';
}

function defaultProtocol(port: V1ContainerPort): void {
  if (isUnset(port.protocol)) port.protocol = 'TCP';
}

function defaultEnvVar({ valueFrom }: V1EnvVar): void {
  const fieldRef = valueFrom?.fieldRef;
  if (fieldRef !== undefined && isUnset(fieldRef.apiVersion)) fieldRef.apiVersion = 'v1';
  if (valueFrom?.fileKeyRef !== undefined) valueFrom.fileKeyRef.optional ??= false;
  const resourceRef = valueFrom?.resourceFieldRef;
  // Go writes the zero quantity where none is set.
  if (resourceRef !== undefined && isUnset(resourceRef.divisor)) resourceRef.divisor = '0';
}

function defaultProbe(probe: V1Probe | undefined): void {
  if (probe === undefined) return;
  probe.timeoutSeconds = probe.timeoutSeconds || 1;
  probe.periodSeconds = probe.periodSeconds || 10;
  probe.successThreshold = probe.successThreshold || 1;
  probe.failureThreshold = probe.failureThreshold || 3;
  defaultHttpGet(probe.httpGet);
  if (probe.grpc !== undefined) probe.grpc.service ??= '';
}

function defaultHandler(handler: V1LifecycleHandler | undefined): void {
  defaultHttpGet(handler?.httpGet);
}

function defaultHttpGet(action: V1HTTPGetAction | undefined): void {
  if (action === undefined) return;
  if (isUnset(action.path)) action.path = '/';
  if (isUnset(action.scheme)) action.scheme = 'HTTP';
}

/** Amounts rounded to thousandths; `{}` where nothing is said, as Go writes the struct always. */
export function defaultResources(resources: V1ResourceRequirements | undefined): V1ResourceRequirements {
  const result = resources ?? {};
  roundAmounts(result.limits);
  roundAmounts(result.requests);
  return result;
}

/** Rounds every amount of a resource list up to thousandths, in place. */
export function roundAmounts(list: Record<string, string> | undefined): void {
  for (const [name, amount] of Object.entries(list ?? {})) {
    try {
      const parsed = parseQuantity(amount);
      const rounded = roundToMilli(parsed);
      if (list !== undefined && rounded !== parsed) list[name] = formatQuantity(rounded);
    } catch (error) {
      // Decoding has refused what is no quantity; objects built in tests may still hold some, and validation names them.
      if (!(error instanceof QuantityError)) throw error;
    }
  }
}

/** True for a missing text and for the empty one. */
export function isUnset(text: string | undefined): text is undefined | '' {
  return text === undefined || text === '';
}
