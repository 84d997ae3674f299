// Which standards a namespace asks for by its labels.
import { type FieldProblem, invalid } from '#api/meta/field-problem.ts';

const levels = ['privileged', 'baseline', 'restricted'] as const;
type Level = (typeof levels)[number];

/** A level of the standards of Kubernetes 1.`minor`; Infinity is the latest. */
export interface LevelVersion {
  readonly level: Level;
  readonly minor: number;
}

export const modes = ['enforce', 'audit', 'warn'] as const;
export type Mode = (typeof modes)[number];

/** The levels to enforce, to audit and to warn about. */
export type Policy = Readonly<Record<Mode, LevelVersion>>;

const prefix = 'pod-security.kubernetes.io/';
export const levelProblem = `must be one of ${levels.join(', ')}`;
export const versionProblem = 'must be "latest" or "v1.x"';
const versionPattern = /^v1\.(0|[1-9][0-9]*)$/;
type Labels = Readonly<Record<string, string>>;

/** A whole policy also where labels are wrong: then enforcement is as strict as can be, the rest lets everything pass. */
export interface LabelledPolicy {
  readonly policy: Policy;
  readonly problems: readonly FieldProblem[];
}

/** Reads a namespace's labels; what they do not say comes from `defaults`. */
export function policyOf(labels: Labels | undefined, defaults: Policy): LabelledPolicy {
  if (labels === undefined) return { policy: defaults, problems: [] };
  const problems: FieldProblem[] = [];
  const policy = Object.fromEntries(modes.map((mode) => [mode, read(mode, labels, defaults[mode], problems)])) as Record<
    Mode,
    LevelVersion
  >;
  // Who enforces something wants to hear of it where nothing is enforced: at Deployments and the like.
  if (has(labels, 'enforce') && !has(labels, 'warn') && compareLevels(policy.enforce.level, policy.warn.level) > 0) {
    policy.warn = { level: policy.enforce.level, minor: has(labels, 'warn-version') ? policy.warn.minor : policy.enforce.minor };
  }
  return { policy, problems };
}

function read(mode: Mode, labels: Labels, fallback: LevelVersion, problems: FieldProblem[]): LevelVersion {
  let { level, minor } = fallback;
  const levelText = labels[`${prefix}${mode}`];
  if (levelText !== undefined) {
    const known = parseLevel(levelText);
    if (known === undefined) problems.push(problem(mode, levelText, levelProblem));
    level = known ?? (mode === 'enforce' ? 'restricted' : 'privileged');
  }
  const versionText = labels[`${prefix}${mode}-version`];
  if (versionText !== undefined) {
    const known = parseVersion(versionText);
    if (known === undefined) problems.push(problem(`${mode}-version`, versionText, versionProblem));
    minor = known ?? Infinity;
  }
  return { level, minor };
}

export function parseLevel(text: string): Level | undefined {
  return levels.find((level) => level === text);
}

/** The minor version; Infinity for the latest. */
export function parseVersion(text: string): number | undefined {
  if (text === 'latest') return Infinity;
  const minor = versionPattern.exec(text)?.[1];
  return minor === undefined ? undefined : Number(minor);
}

function problem(label: string, value: string, why: string): FieldProblem {
  return invalid(`metadata.labels[${prefix}${label}]`, value, why);
}

/** True when a label is there, whatever it says. */
export function has(labels: Labels, label: Mode | `${Mode}-version`): boolean {
  return labels[`${prefix}${label}`] !== undefined;
}

/** Positive when `left` is the stricter one. */
export function compareLevels(left: Level, right: Level): number {
  return levels.indexOf(left) - levels.indexOf(right);
}

export function isSame(left: LevelVersion, right: LevelVersion): boolean {
  return left.level === right.level && left.minor === right.minor;
}

/** `restricted:latest`, `baseline:v1.30`. */
export function levelText({ level, minor }: LevelVersion): string {
  return `${level}:${minor === Infinity ? 'latest' : `v1.${minor}`}`;
}
