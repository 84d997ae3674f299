// Values in messages, as Go prints them: members by the names of Go's own types, in their order, those that are not set included.
import type {
  V1AppArmorProfile,
  V1Capabilities,
  V1NodeSelectorRequirement,
  V1NodeSelectorTerm,
  V1PodResourceClaim,
  V1SELinuxOptions,
  V1SeccompProfile,
  V1SecurityContext,
  V1VolumeNodeAffinity,
  V1WindowsSecurityContextOptions,
} from '#api/generated/types.ts';
import type { Unchecked } from '../meta/unchecked.ts';

export function shownTerm({ matchExpressions, matchFields }: Unchecked<V1NodeSelectorTerm>): object {
  return { MatchExpressions: shownRequirements(matchExpressions), MatchFields: shownRequirements(matchFields) };
}

function shownRequirements(requirements: readonly Unchecked<V1NodeSelectorRequirement>[] | undefined): object[] | null {
  return requirements?.map(({ key, operator, values }) => ({ Key: key ?? '', Operator: operator ?? '', Values: values ?? null })) ?? null;
}

/** Of a volume. */
export function shownAffinity(affinity: Unchecked<V1VolumeNodeAffinity> | undefined): object | null {
  if (affinity === undefined) return null;
  const terms = affinity.required?.nodeSelectorTerms;
  return { Required: affinity.required === undefined ? null : { NodeSelectorTerms: terms?.map(shownTerm) ?? null } };
}

export function shownClaim({ name, resourceClaimName, resourceClaimTemplateName }: Unchecked<V1PodResourceClaim>): object {
  return { Name: name ?? '', ResourceClaimName: resourceClaimName ?? null, ResourceClaimTemplateName: resourceClaimTemplateName ?? null };
}

/** Of seccomp or AppArmor. */
export function shownProfile(profile: Unchecked<V1SeccompProfile | V1AppArmorProfile> | undefined): object | null {
  return profile === undefined ? null : { Type: profile.type ?? '', LocalhostProfile: profile.localhostProfile ?? null };
}

/** Of a container. */
export function shownContext(context: Unchecked<V1SecurityContext>): object {
  return {
    Capabilities: shownCapabilities(context.capabilities),
    Privileged: context.privileged ?? null,
    SELinuxOptions: shownSeLinux(context.seLinuxOptions),
    WindowsOptions: shownWindows(context.windowsOptions),
    RunAsUser: context.runAsUser ?? null,
    RunAsGroup: context.runAsGroup ?? null,
    RunAsNonRoot: context.runAsNonRoot ?? null,
    ReadOnlyRootFilesystem: context.readOnlyRootFilesystem ?? null,
    AllowPrivilegeEscalation: context.allowPrivilegeEscalation ?? null,
    ProcMount: context.procMount ?? null,
    SeccompProfile: shownProfile(context.seccompProfile),
    AppArmorProfile: shownProfile(context.appArmorProfile),
  };
}

function shownCapabilities(capabilities: Unchecked<V1Capabilities> | undefined): object | null {
  return capabilities === undefined ? null : { Add: capabilities.add ?? null, Drop: capabilities.drop ?? null };
}

function shownSeLinux(options: Unchecked<V1SELinuxOptions> | undefined): object | null {
  if (options === undefined) return null;
  return { User: options.user ?? '', Role: options.role ?? '', Type: options.type ?? '', Level: options.level ?? '' };
}

function shownWindows(options: Unchecked<V1WindowsSecurityContextOptions> | undefined): object | null {
  if (options === undefined) return null;
  return {
    GMSACredentialSpecName: options.gmsaCredentialSpecName ?? null,
    GMSACredentialSpec: options.gmsaCredentialSpec ?? null,
    RunAsUserName: options.runAsUserName ?? null,
    HostProcess: options.hostProcess ?? null,
  };
}
