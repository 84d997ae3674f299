// PodSecurity: pods must keep to the standards that their namespace's labels name; templates of pods are only warned about.
// The rules of when what is checked are upstream's (pod-security-admission/admission/admission.go).
import type { V1Namespace, V1ObjectMeta, V1Pod, V1PodSpec, V1PodTemplateSpec } from '#api/generated/types.ts';
import { invalidObject } from '#api/meta/field-problem.ts';
import { internalError } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { AdmissionPlugin, AdmissionRequest, Encoded, Registry } from '../../registry/contract.ts';
import { compiled } from '../compiled.ts';
import { refusal } from '../refusal.ts';
import { existingPodWarnings } from './existing-pods.ts';
import { compareLevels, has, isSame, type LabelledPolicy, type LevelVersion, levelText, modes, type Policy, policyOf } from './policy.ts';
import { isSignificantUpdate } from './significant-update.ts';
import { violations, violationsText } from './standards.ts';

export interface PodSecuritySettings {
  /** For what a namespace's labels do not say. */
  readonly defaults: Policy;
  /** Whom and what the standards do not concern. */
  readonly exemptions: {
    readonly usernames: ReadonlySet<string>;
    readonly namespaces: ReadonlySet<string>;
    readonly runtimeClasses: ReadonlySet<string>;
  };
}

const privileged: LevelVersion = { level: 'privileged', minor: Infinity };

/** Without configuration everything is privileged and nothing exempt. */
export const openPodSecurity: PodSecuritySettings = {
  defaults: { enforce: privileged, audit: privileged, warn: privileged },
  exemptions: { usernames: new Set(), namespaces: new Set(), runtimeClasses: new Set() },
};

interface PodSecurityDeps {
  readonly registry: () => Registry;
  readonly clock: Clock;
  readonly settings: PodSecuritySettings;
}

/** Parts of a pod that do not change what it may do. */
const ignoredSubresources = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status']);

/** Where kinds hold the template of pods, by `plural.group`. */
const templates: Readonly<Record<string, (object: never) => V1PodTemplateSpec | undefined>> = {
  'replicationcontrollers.': specTemplate,
  'podtemplates.': ({ template }: { template?: V1PodTemplateSpec }) => template,
  'replicasets.apps': specTemplate,
  'deployments.apps': specTemplate,
  'statefulsets.apps': specTemplate,
  'daemonsets.apps': specTemplate,
  'jobs.batch': specTemplate,
  'cronjobs.batch': ({ spec }: { spec?: { jobTemplate?: Templated } }) => spec?.jobTemplate?.spec?.template,
};

interface Templated {
  readonly spec?: { readonly template?: V1PodTemplateSpec };
}

function specTemplate({ spec }: Templated): V1PodTemplateSpec | undefined {
  return spec?.template;
}

export function podSecurity(deps: PodSecurityDeps): AdmissionPlugin {
  const standards = new NamespaceStandards(deps);
  return {
    name: 'PodSecurity',
    validate: (request) => {
      const { kind, operation, object } = request;
      if (operation !== 'CREATE' && operation !== 'UPDATE') return undefined;
      if (kind.group === '' && kind.names.plural === 'pods') return standards.checkPod(request);
      if (kind.group === '' && kind.names.plural === 'namespaces') return standards.checkNamespace(request);
      const templateOf = templates[`${kind.names.plural}.${kind.group}`];
      return templateOf && standards.checkTemplate(request, templateOf(object as never));
    },
  };
}

/** What namespaces ask for, held against what is written. Refuses by throwing. */
class NamespaceStandards {
  readonly #deps: PodSecurityDeps;
  readonly #labelled: (namespace: Encoded) => LabelledPolicy;

  constructor(deps: PodSecurityDeps) {
    this.#deps = deps;
    this.#labelled = compiled(({ metadata }: V1Namespace) => policyOf(metadata?.labels, deps.settings.defaults));
  }

  checkPod(request: AdmissionRequest): void {
    const { context, operation, object, previous } = request;
    if (ignoredSubresources.has(context.subresource)) return;
    const exempt = this.#exemption(request);
    if (exempt !== undefined) return note(request, 'exempt', exempt);
    const policy = this.#policyFor(request);
    if (policy === undefined) throw internalError(new Error(`failed to lookup namespace ${JSON.stringify(context.namespace)}`));
    if (modes.every((mode) => !hasSay(policy[mode]))) return note(request, 'enforce-policy', levelText(policy.enforce));
    const { metadata, spec } = object as V1Pod;
    if (spec === undefined || (operation === 'UPDATE' && !isSignificantUpdate(object as V1Pod, previous as V1Pod))) return;
    if (this.#isExemptClass(spec)) return note(request, 'exempt', 'runtimeClass');
    note(request, 'enforce-policy', levelText(policy.enforce));
    noteViolations(request, policy.audit, spec, metadata);
    const found = violations(policy.enforce, spec, metadata);
    if (found.length > 0) {
      throw refusal(request, `violates PodSecurity ${JSON.stringify(levelText(policy.enforce))}: ${violationsText(found)}`);
    }
    // What keeps to the enforced level keeps to the same level of warnings.
    if (hasSay(policy.warn) && !isSame(policy.warn, policy.enforce)) warnOf(request, policy.warn, spec, metadata);
  }

  checkTemplate(request: AdmissionRequest, template: V1PodTemplateSpec | undefined): void {
    if (request.context.subresource !== '') return;
    const exempt = this.#exemption(request);
    if (exempt !== undefined) return note(request, 'exempt', exempt);
    const { warn, audit } = this.#policyFor(request) ?? {};
    if (warn === undefined || audit === undefined || template?.spec === undefined || (!hasSay(warn) && !hasSay(audit))) return;
    if (this.#isExemptClass(template.spec)) return note(request, 'exempt', 'runtimeClass');
    const { spec, metadata = {} } = template;
    noteViolations(request, audit, spec, metadata);
    if (hasSay(warn)) warnOf(request, warn, spec, metadata);
  }

  checkNamespace(request: AdmissionRequest): Promise<void> | undefined {
    const { object, previous, name, context, kind } = request;
    const { registry, settings } = this.#deps;
    if (context.subresource !== '') return undefined;
    const labels = object?.metadata.labels;
    const next = policyOf(labels, settings.defaults);
    const before = previous && policyOf(previous.metadata.labels, settings.defaults);
    const wasWrong = before !== undefined && JSON.stringify(before.problems) === JSON.stringify(next.problems);
    if (next.problems.length > 0 && !wasWrong) throw invalidObject(kind, name, next.problems);
    const { policy } = next;
    if (before !== undefined && !isTightened(policy.enforce, before.policy.enforce)) return undefined;
    if (settings.exemptions.namespaces.has(name)) {
      const warning = exemptionWarning(name, labels, policy, settings.defaults);
      if (warning !== undefined) context.warn(warning);
      return undefined;
    }
    const pods = registry().find('', 'v1', 'pods');
    return before && pods && this.#warnOfPods(request, policy.enforce, registry().peekAll(pods, name));
  }

  async #warnOfPods(request: AdmissionRequest, enforce: LevelVersion, found: readonly Encoded[]): Promise<void> {
    const pods = found.map((pod) => pod.object() as V1Pod).filter(({ spec }) => spec !== undefined && !this.#isExemptClass(spec));
    for (const text of await existingPodWarnings(request.name, enforce, pods, this.#deps.clock)) request.context.warn(text);
  }

  #policyFor({ context }: AdmissionRequest): Policy | undefined {
    const registry = this.#deps.registry();
    const kind = registry.find('', 'v1', 'namespaces');
    const found = kind && registry.peek(kind, '', context.namespace);
    return found && this.#labelled(found).policy;
  }

  #exemption({ context }: AdmissionRequest): 'namespace' | 'user' | undefined {
    const { namespaces, usernames } = this.#deps.settings.exemptions;
    if (namespaces.has(context.namespace)) return 'namespace';
    return usernames.has(context.user.name) ? 'user' : undefined;
  }

  #isExemptClass({ runtimeClassName }: V1PodSpec): boolean {
    return this.#deps.settings.exemptions.runtimeClasses.has(runtimeClassName ?? '');
  }
}

function hasSay({ level }: LevelVersion): boolean {
  return level !== 'privileged';
}

function note({ context }: AdmissionRequest, key: string, value: string): void {
  context.audit?.annotate(`pod-security.kubernetes.io/${key}`, value);
}

/** Computed only where it is reported. */
function noteViolations(request: AdmissionRequest, audit: LevelVersion, spec: V1PodSpec, metadata: V1ObjectMeta): void {
  if (request.context.audit === undefined || !hasSay(audit)) return;
  const found = violations(audit, spec, metadata);
  if (found.length > 0) {
    note(request, 'audit-violations', `would violate PodSecurity ${JSON.stringify(levelText(audit))}: ${violationsText(found)}`);
  }
}

function warnOf({ context }: AdmissionRequest, warn: LevelVersion, spec: V1PodSpec, metadata: V1ObjectMeta): void {
  const found = violations(warn, spec, metadata);
  if (found.length > 0) context.warn(`would violate PodSecurity ${JSON.stringify(levelText(warn))}: ${violationsText(found)}`);
}

/** Whether pods that are there already may break what is enforced from now on. */
function isTightened(next: LevelVersion, before: LevelVersion): boolean {
  if (next.level === 'privileged' || isSame(next, before)) return false;
  return next.minor !== before.minor || compareLevels(next.level, before.level) > 0;
}

function exemptionWarning(name: string, labels: V1ObjectMeta['labels'] = {}, policy: Policy, defaults: Policy): string | undefined {
  if (modes.every((mode) => !hasSay(policy[mode])) || modes.every((mode) => isSame(policy[mode], defaults[mode]))) return undefined;
  const said = modes.filter((mode) => hasSay(policy[mode]) && (has(labels, mode) || has(labels, `${mode}-version`)));
  const text = said.map((mode) => `${mode}=${levelText(policy[mode])}`).join(', ');
  return `namespace ${JSON.stringify(name)} is exempt from Pod Security, and the policy (${text}) will be ignored`;
}
