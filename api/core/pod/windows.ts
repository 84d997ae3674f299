// What pods say of their system: what a pod of Windows may not ask for, what a pod of Linux may not, and processes of a Windows host.
import type { V1PodSpec, V1SecurityContext, V1WindowsSecurityContextOptions } from '#api/generated/types.ts';
import { byteLength } from '../../meta/names.ts';
import type { Problems } from '../../meta/problems.ts';
import type { Unchecked } from '../../meta/unchecked.ts';

type Spec = Unchecked<V1PodSpec>;
type Options = Unchecked<V1WindowsSecurityContextOptions>;
type Contexts = readonly { readonly securityContext?: Unchecked<V1SecurityContext> | undefined }[];

const containerLists = ['initContainers', 'containers', 'ephemeralContainers'] as const;
const windowsText = 'cannot be set for a windows pod';
const linuxText = 'windows options cannot be set for a linux pod';

const maxSpecKiB = 64;
const maxDomainBytes = 256;
const maxUserBytes = 104;
const netBiosDomain = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/u;
const dnsLabel = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const dnsDomain = new RegExp(`^${dnsLabel}(?:\\.${dnsLabel})*$`);
const oddUserChars = /["/\\:;|=,+*?<>@[\]]/;

/** Members that mean something on Linux only, in upstream's order. */
const linuxOfPod = ['appArmorProfile', 'seLinuxOptions'] as const;
const linuxOfPodToo = ['fsGroup', 'fsGroupChangePolicy'] as const;
const linuxOfPodLast = ['runAsUser', 'runAsGroup', 'supplementalGroups', 'supplementalGroupsPolicy', 'seLinuxChangePolicy'] as const;
const linuxOfContainer = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

/** The system that a pod is for, and what it asks for that there is none of. */
export function checkSystem(spec: Spec, at: Problems): void {
  const name = spec.os?.name;
  if (spec.os === undefined) return;
  if (!name) at.required('os.name');
  else if (name === 'windows') checkWindowsPod(spec, at);
  else if (name === 'linux') checkLinuxPod(spec, at);
  else at.notSupported('os', name, ['linux', 'windows']);
}

function checkLinuxPod(spec: Spec, at: Problems): void {
  if (spec.securityContext?.windowsOptions !== undefined) at.forbidden('securityContext.windowsOptions', linuxText);
  eachContext(spec, at, (context, own) => {
    if (context.windowsOptions !== undefined) own.forbidden('windowsOptions', linuxText);
  });
}

function checkWindowsPod(spec: Spec, at: Problems): void {
  const context = spec.securityContext ?? {};
  const refuse = (names: readonly (keyof typeof context)[]): void => {
    for (const name of names) if (context[name] !== undefined) at.forbidden(`securityContext.${name}`, windowsText);
  };
  refuse(linuxOfPod);
  if (spec.hostUsers !== undefined) at.forbidden('hostUsers', windowsText);
  if (spec.hostPID === true) at.forbidden('hostPID', windowsText);
  if (spec.hostIPC === true) at.forbidden('hostIPC', windowsText);
  refuse(['seccompProfile']);
  refuse(linuxOfPodToo);
  if ((context.sysctls?.length ?? 0) > 0) at.forbidden('securityContext.sysctls', windowsText);
  if (spec.shareProcessNamespace !== undefined) at.forbidden('shareProcessNamespace', windowsText);
  refuse(linuxOfPodLast);
  eachContext(spec, at, checkWindowsContext);
}

function checkWindowsContext(context: Unchecked<V1SecurityContext>, at: Problems): void {
  for (const name of linuxOfContainer) if (context[name] !== undefined) at.forbidden(name, windowsText);
}

type ContextRule = (context: Unchecked<V1SecurityContext>, at: Problems) => void;

function eachContext(spec: Spec, at: Problems, check: ContextRule): void {
  for (const list of containerLists) {
    at.each(list, spec[list] as Contexts | undefined, ({ securityContext }, own) => own.member('securityContext', securityContext, check));
  }
}

/** Processes of the host: all containers are, or none. */
export function checkHostProcess(spec: Spec, at: Problems): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  if (ofPod === undefined && !containerLists.some((list) => (spec[list] as Contexts | undefined)?.some(saysHostProcess))) return;
  const contexts = containerLists.flatMap((list) => (spec[list] ?? []) as Contexts);
  if (ofPod !== undefined) {
    eachContext(spec, at, ({ windowsOptions }, own) => {
      const value = windowsOptions?.hostProcess;
      const text = `pod hostProcess value must be identical if both are specified, was ${String(ofPod)}`;
      if (value !== undefined && value !== ofPod) own.invalid('windowsOptions.hostProcess', value, text);
    });
  }
  const count = contexts.filter(({ securityContext }) => (securityContext?.windowsOptions?.hostProcess ?? ofPod) === true).length;
  if (count === 0) return;
  if (count !== contexts.length) {
    at.invalid('', '', 'If pod contains any hostProcess containers then all containers must be HostProcess containers');
  }
  if (spec.hostNetwork !== true) at.invalid('hostNetwork', false, 'hostNetwork must be true if pod contains any hostProcess containers');
}

function saysHostProcess({ securityContext }: Contexts[number]): boolean {
  return securityContext?.windowsOptions?.hostProcess !== undefined;
}

/** Whom a pod or container of Windows runs as. */
export function checkWindowsOptions(
  { gmsaCredentialSpecName: specName, gmsaCredentialSpec: spec, runAsUserName }: Options,
  at: Problems,
): void {
  if (specName !== undefined) at.dnsSubdomain('gmsaCredentialSpecName', specName);
  if (spec === '') at.invalid('gmsaCredentialSpec', spec, 'gmsaCredentialSpec cannot be an empty string');
  else if (spec !== undefined && byteLength(spec) > maxSpecKiB * 1_024) {
    at.invalid('gmsaCredentialSpec', spec, `gmsaCredentialSpec size must be under ${maxSpecKiB} KiB`);
  }
  if (runAsUserName !== undefined) at.invalidEach('runAsUserName', runAsUserName, userNameProblems(runAsUserName));
}

function userNameProblems(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string'];
  if (hasControlChars(name)) return ['runAsUserName cannot contain control characters'];
  const parts = name.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const user = parts.at(-1) ?? '';
  return [...(parts.length === 2 ? domainProblems(parts[0] ?? '') : []), ...userProblems(user)];
}

function hasControlChars(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

function domainProblems(domain: string): string[] {
  const problems: string[] = [];
  if (byteLength(domain) >= maxDomainBytes) problems.push(`runAsUserName's Domain length must be under ${maxDomainBytes} characters`);
  if (!netBiosDomain.test(domain) && !dnsDomain.test(domain)) {
    problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  return problems;
}

function userProblems(user: string): string[] {
  const problems: string[] = [];
  if (user === '') problems.push("runAsUserName's User cannot be empty");
  if (byteLength(user) > maxUserBytes) problems.push(`runAsUserName's User length must not be longer than ${maxUserBytes} characters`);
  if (/^[. ]+$/.test(user)) problems.push("runAsUserName's User cannot contain only periods or spaces");
  if (oddUserChars.test(user)) problems.push(`runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`);
  return problems;
}
