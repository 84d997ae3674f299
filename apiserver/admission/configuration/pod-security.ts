import { duplicate, type FieldProblem, invalid, required } from '#api/meta/field-problem.ts';
import { dnsLabelProblems, dnsSubdomainProblems } from '#api/meta/names.ts';
import type { PodSecuritySettings } from '../pod-security/plugin.ts';
import { type LevelVersion, levelProblem, type Mode, modes, parseLevel, parseVersion, versionProblem } from '../pod-security/policy.ts';
import { checkDocument, type ConfigurationDocument, refuseProblems } from './document.ts';

const group = 'pod-security.admission.config.k8s.io';

const type = {
  kind: 'PodSecurityConfiguration',
  versions: [`${group}/v1`, `${group}/v1beta1`, `${group}/v1alpha1`],
  shape: {
    defaults: {
      enforce: 'string',
      'enforce-version': 'string',
      audit: 'string',
      'audit-version': 'string',
      warn: 'string',
      'warn-version': 'string',
    },
    exemptions: { usernames: ['string'], namespaces: ['string'], runtimeClasses: ['string'] },
  },
} as const;

interface PodSecurityConfiguration {
  readonly defaults?: Readonly<Record<string, string>>;
  readonly exemptions?: {
    readonly usernames?: readonly string[];
    readonly namespaces?: readonly string[];
    readonly runtimeClasses?: readonly string[];
  };
}

/** Throws UsageError. */
export function readPodSecurity(document: ConfigurationDocument): PodSecuritySettings {
  const { defaults = {}, exemptions = {} } = checkDocument<PodSecurityConfiguration>(document, type);
  const { usernames = [], namespaces = [], runtimeClasses = [] } = exemptions;
  const problems: FieldProblem[] = [];
  const standards = modes.map((mode): [Mode, LevelVersion] => [mode, readMode(mode, defaults, problems)]);
  problems.push(
    ...entryProblems('exemptions.namespaces', namespaces, dnsLabelProblems),
    ...entryProblems('exemptions.runtimeClasses', runtimeClasses, dnsSubdomainProblems),
    ...entryProblems('exemptions.usernames', usernames),
  );
  refuseProblems(document.place, problems);
  return {
    defaults: Object.fromEntries(standards) as Record<Mode, LevelVersion>,
    exemptions: { usernames: new Set(usernames), namespaces: new Set(namespaces), runtimeClasses: new Set(runtimeClasses) },
  };
}

/** What is not said, or empty, lets everything pass, and is of the latest version. */
function readMode(mode: Mode, defaults: Readonly<Record<string, string>>, problems: FieldProblem[]): LevelVersion {
  const levelText = defaults[mode] || 'privileged';
  const versionText = defaults[`${mode}-version`] || 'latest';
  const level = parseLevel(levelText);
  const minor = parseVersion(versionText);
  if (level === undefined) problems.push(invalid(`defaults.${mode}`, levelText, levelProblem));
  if (minor === undefined) problems.push(invalid(`defaults.${mode}-version`, versionText, versionProblem));
  return { level: level ?? 'restricted', minor: minor ?? Infinity };
}

/** Without `check`, anything but nothing is a name. */
function entryProblems(field: string, names: readonly string[], check?: (name: string) => readonly string[]): FieldProblem[] {
  return names.flatMap((name, at): FieldProblem[] => {
    const path = `${field}[${at}]`;
    if (check === undefined && name === '') return [required(path)];
    const wrong = check?.(name) ?? [];
    if (wrong.length > 0) return [invalid(path, name, wrong.join(', '))];
    return names.indexOf(name) < at ? [duplicate(path, name)] : [];
  });
}
