import type { ConfigMap } from '#api/core/config-map.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { Secret } from '#api/core/secret.ts';
import type { Service } from '#api/core/service/service.ts';
import type { V1Container, V1EnvVar, V1FileKeySelector } from '#api/generated/types.ts';
import { variableOf } from './env-file.ts';
import { expand } from './expand.ts';
import { fieldValue, type PodAddresses } from './field-ref.ts';
import { type Allocatable, resourceValue } from './resource-ref.ts';
import { linkedServices, serviceVariables } from './service-env.ts';

/** What the variables of a container may refer to. `undefined` means that the object does not exist. */
export interface EnvSources {
  readonly configMap: (name: string) => ConfigMap | undefined;
  readonly secret: (name: string) => Secret | undefined;
  /** A file of variables; an Error: it cannot be read. */
  readonly file: (volume: string, path: string) => string | Error | undefined;
  readonly services: readonly Service[];
  readonly addresses: PodAddresses;
  readonly allocatable: Allocatable;
}

/** The container cannot be configured; the message goes into its waiting state and an event. */
class EnvError extends Error {
  override readonly name = 'EnvError';
}

/**
 * All variables of a container: service links, then `envFrom`, then `env`, each overriding what came before; `$(NAME)` in `env`
 * sees what stands before it. Throws EnvError or FieldRefError.
 */
export function containerEnv(pod: Pod, container: V1Container, sources: EnvSources): ReadonlyMap<string, string> {
  const services = linkedServices(sources.services, pod.metadata.namespace ?? '', pod.spec.enableServiceLinks !== false);
  const fromServices = new Map(serviceVariables(services));
  const own = new Map<string, string>(envFrom(container, sources));
  for (const variable of container.env ?? []) {
    const value = valueOf(pod, container, variable, sources, (name) => own.get(name) ?? fromServices.get(name));
    // Upstream: the pod's own variable hides the generated one for what follows, also where its source is optional and absent.
    fromServices.delete(variable.name);
    if (value !== undefined) own.set(variable.name, value);
  }
  return new Map([...own, ...[...fromServices].filter(([name]) => !own.has(name))]);
}

/** Which objects the variables need, so that they can be fetched before. */
export function envReferences(container: V1Container): { readonly configMaps: readonly string[]; readonly secrets: readonly string[] } {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef !== undefined) configMaps.add(configMapRef.name ?? '');
    if (secretRef !== undefined) secrets.add(secretRef.name ?? '');
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.configMapKeyRef !== undefined) configMaps.add(valueFrom.configMapKeyRef.name ?? '');
    if (valueFrom?.secretKeyRef !== undefined) secrets.add(valueFrom.secretKeyRef.name ?? '');
  }
  return { configMaps: [...configMaps], secrets: [...secrets] };
}

function envFrom(container: V1Container, sources: EnvSources): [string, string][] {
  return (container.envFrom ?? []).flatMap(({ prefix = '', configMapRef, secretRef }) => {
    const data =
      configMapRef !== undefined
        ? configMapTexts(configMapRef.name ?? '', configMapRef.optional === true, sources)
        : secretTexts(secretRef?.name ?? '', secretRef?.optional === true, sources);
    return Object.entries(data)
      .filter(([key]) => isVariableName(prefix + key))
      .map(([key, value]): [string, string] => [prefix + key, value]);
  });
}

function valueOf(
  pod: Pod,
  container: V1Container,
  variable: V1EnvVar,
  sources: EnvSources,
  lookup: (name: string) => string | undefined,
): string | undefined {
  const from = variable.valueFrom;
  if (from === undefined || (variable.value !== undefined && variable.value !== '')) return expand(variable.value ?? '', lookup);
  if (from.fieldRef !== undefined) return fieldValue(pod, from.fieldRef.fieldPath, sources.addresses);
  if (from.resourceFieldRef !== undefined) {
    const { containerName = '' } = from.resourceFieldRef;
    const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
    const target = containerName === '' ? container : all.find(({ name }) => name === containerName);
    if (target === undefined) throw new EnvError(`container ${containerName} not found`);
    return resourceValue(target, from.resourceFieldRef, sources.allocatable);
  }
  if (from.configMapKeyRef !== undefined) {
    const { name = '', key, optional = false } = from.configMapKeyRef;
    const data = configMapTexts(name, optional, sources);
    if (Object.hasOwn(data, key)) return data[key];
    if (optional) return undefined;
    throw new EnvError(`couldn't find key ${key} in ConfigMap ${pod.metadata.namespace}/${name}`);
  }
  if (from.secretKeyRef !== undefined) {
    const { name = '', key, optional = false } = from.secretKeyRef;
    const data = secretTexts(name, optional, sources);
    if (Object.hasOwn(data, key)) return data[key];
    if (optional) return undefined;
    throw new EnvError(`couldn't find key ${key} in Secret ${pod.metadata.namespace}/${name}`);
  }
  return from.fileKeyRef === undefined ? '' : fileValue(from.fileKeyRef, sources);
}

/** An absent file is one without any variables. */
function fileValue({ volumeName, path, key, optional = false }: V1FileKeySelector, sources: EnvSources): string | undefined {
  const text = sources.file(volumeName, path);
  try {
    if (text instanceof Error) throw text;
    const value = variableOf(text ?? '', key);
    if (value !== undefined || optional) return value;
  } catch (error) {
    throw new EnvError(`couldn't parse env file: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  throw new EnvError(`environment variable key ${JSON.stringify(key)} not found in file ${JSON.stringify(path)}`);
}

function configMapTexts(name: string, optional: boolean, sources: EnvSources): Readonly<Record<string, string>> {
  const found = sources.configMap(name);
  if (found === undefined && !optional) throw new EnvError(`configmap ${JSON.stringify(name)} not found`);
  return found?.data ?? {};
}

function secretTexts(name: string, optional: boolean, sources: EnvSources): Readonly<Record<string, string>> {
  const found = sources.secret(name);
  if (found === undefined && !optional) throw new EnvError(`secret ${JSON.stringify(name)} not found`);
  return Object.fromEntries(Object.entries(found?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

/** Printable ASCII without `=`: the relaxed rule. */
function isVariableName(name: string): boolean {
  return /^[ -<>-~]+$/.test(name);
}
