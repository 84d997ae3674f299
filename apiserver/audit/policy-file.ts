// Reads `--audit-policy-file`. What upstream refuses is refused in its words (apiserver/pkg/apis/audit/validation).
import { parse } from 'yaml';
import { type FieldProblem, invalid, notSupported, required } from '#api/meta/field-problem.ts';
import { nameIsDnsSubdomain } from '#api/meta/names.ts';
import { type Shape, shapeProblems } from '#base/document-shape.ts';
import { UsageError } from '#base/lifecycle.ts';
import { levels, stages } from './contract.ts';
import { apiVersion } from './event-text.ts';
import type { GroupResources, PolicyDocument, PolicyRule } from './policy.ts';

const shape: Readonly<Record<string, Shape>> = {
  apiVersion: 'string',
  kind: 'string',
  metadata: 'map',
  rules: [
    {
      level: 'string',
      users: ['string'],
      userGroups: ['string'],
      verbs: ['string'],
      resources: [{ group: 'string', resources: ['string'], resourceNames: ['string'] }],
      namespaces: ['string'],
      nonResourceURLs: ['string'],
      omitStages: ['string'],
      omitManagedFields: 'boolean',
    },
  ],
  omitStages: ['string'],
  omitManagedFields: 'boolean',
};

/** The policy in a file's text; `path` is for messages. Throws UsageError, saying all that is wrong. */
export function readPolicy(text: string, path: string): PolicyDocument {
  const document = known(text, path);
  const wrong = shapeProblems(document, shape);
  if (wrong.length > 0) throw refused(`failed decoding: ${wrong.join('; ')}`, path);
  const policy = withoutNulls(document) as Partial<PolicyDocument>;
  const rules = policy.rules ?? [];
  const problems = rules.flatMap((rule, at) => ruleProblems(rule, `rules[${at}]`));
  if (problems.length > 0) throw refused(aggregate(problems), path);
  if (rules.length === 0) throw refused('loaded illegal policy with 0 rules', path);
  return { ...policy, rules };
}

function known(text: string, path: string): unknown {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw refused(`failed decoding: ${error instanceof Error ? error.message : String(error)}`, path);
  }
  const { kind = '', apiVersion: version = '' } = (document ?? {}) as { readonly kind?: unknown; readonly apiVersion?: unknown };
  if (kind === 'Policy' && version === apiVersion) return document;
  if (kind === '') throw refused(`failed decoding: Object 'Kind' is missing`, path);
  throw refused(`failed decoding: no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(version)}`, path);
}

function ruleProblems(rule: Partial<PolicyRule>, path: string): FieldProblem[] {
  const { level = '', nonResourceURLs = [], resources = [], namespaces = [], omitStages = [] } = rule;
  const urls = `${path}.nonResourceURLs`;
  return [
    ...levelProblems(level, `${path}.level`),
    ...nonResourceURLs.flatMap((url, at) => urlProblems(url, `${urls}[${at}]`)),
    ...resources.flatMap((one) => resourceProblems(one, `${path}.resources`)),
    ...omitStages.flatMap((stage, at) =>
      stages.includes(stage) ? [] : [invalid(`${path}.omitStages[${at}]`, stage, `allowed stages are ${stages.join(',')}`)],
    ),
    ...(nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0)
      ? [invalid(urls, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs')]
      : []),
  ];
}

function levelProblems(level: string, path: string): FieldProblem[] {
  if (level === '') return [required(path)];
  return (levels as readonly string[]).includes(level) ? [] : [notSupported(path, level, levels)];
}

function urlProblems(url: string, path: string): FieldProblem[] {
  if (url === '*') return [];
  return [
    ...(url.startsWith('/') ? [] : [invalid(path, url, "non-resource URL rules must begin with a '/' character")]),
    ...(url.slice(0, -1).includes('*')
      ? [invalid(path, url, "non-resource URL wildcards '*' must be the final character of the rule")]
      : []),
  ];
}

function resourceProblems({ group = '', resources = [], resourceNames = [] }: GroupResources, path: string): FieldProblem[] {
  const wrong = group === '' || group === '*' ? [] : nameIsDnsSubdomain(group, false);
  return [
    ...(wrong.length > 0 ? [invalid(`${path}.group`, group, wrong.join(','))] : []),
    ...(resourceNames.length > 0 && resources.length === 0
      ? [invalid(`${path}.resourceNames`, resourceNames, 'using resourceNames requires at least one resource')]
      : []),
  ];
}

/** Several problems as Go's aggregates show them. */
function aggregate(problems: readonly FieldProblem[]): string {
  const texts = [...new Set(problems.map(({ field, message }) => `${field}: ${message}`))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

function refused(why: string, path: string): UsageError {
  return new UsageError(`loading audit policy file: ${why}: from file ${path}`, { exitCode: 1 });
}

/** Null stands for what is absent. */
function withoutNulls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, inner: unknown) => inner ?? undefined);
}
