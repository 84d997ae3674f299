// Service accounts that say so let their pods read only the Secrets that they list. The words are upstream's.
import type { V1Container, V1EphemeralContainer, V1PodSpec } from '#api/generated/types.ts';
import { sourceSecrets, variableSecrets } from '#api/core/pod/secret-names.ts';
import { enforceSecretsAnnotation, type ServiceAccount } from '#api/core/service-account.ts';

/** What Go's strconv.ParseBool takes for true. */
const truths: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);

/** Whether pods of this account may read only what it lists. */
export function limitsSecrets({ metadata }: ServiceAccount): boolean {
  return truths.has(metadata.annotations?.[enforceSecretsAnnotation] ?? '');
}

/** Why a new pod of such an account is refused; undefined when it reads nothing else. */
export function unlistedSecret(account: ServiceAccount, spec: V1PodSpec): string | undefined {
  const allowed = listed(account);
  for (const { secret } of spec.volumes ?? []) {
    const name = secret?.secretName ?? '';
    if (secret !== undefined && !allowed.has(name)) return refusalText(`volume with secret.secretName="${name}"`, account);
  }
  const inContainers =
    unlistedInContainers(account, spec.initContainers, 'init container') ?? unlistedInContainers(account, spec.containers, 'container');
  if (inContainers !== undefined) return inContainers;
  const pulls = new Set((account.imagePullSecrets ?? []).map(({ name = '' }) => name));
  for (const [at, { name = '' }] of (spec.imagePullSecrets ?? []).entries()) {
    if (!pulls.has(name)) return refusalText(`imagePullSecrets[${at}].name="${name}"`, account, 'imagePullSecret');
  }
  return undefined;
}

/** As `unlistedSecret`, for one kind of containers, such as ephemeral ones that are added. */
export function unlistedInContainers(
  account: ServiceAccount,
  containers: readonly (V1Container | V1EphemeralContainer)[] | undefined,
  kind: string,
): string | undefined {
  const allowed = listed(account);
  for (const container of containers ?? []) {
    for (const { variable, secret } of variableSecrets(container)) {
      if (allowed.has(secret)) continue;
      return refusalText(`${kind} ${container.name} with envVar ${variable} referencing secret.secretName="${secret}"`, account);
    }
    for (const secret of sourceSecrets(container)) {
      if (allowed.has(secret)) continue;
      return refusalText(`${kind} ${container.name} with envFrom referencing secret.secretName="${secret}"`, account);
    }
  }
  return undefined;
}

function listed({ secrets = [] }: ServiceAccount): ReadonlySet<string> {
  return new Set(secrets.map(({ name = '' }) => name));
}

function refusalText(what: string, { metadata }: ServiceAccount, noun = 'secret'): string {
  return `${what} is not allowed because service account ${metadata.name} does not reference that ${noun}`;
}
