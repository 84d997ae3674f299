// Probes and lifecycle hooks.
import type { V1HTTPGetAction, V1Lifecycle, V1LifecycleHandler, V1Probe } from '#api/generated/types.ts';
import { invalidEach, notNegative, oneOfIfSet, portNumberOrName } from '../../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, required } from '../../meta/field-problem.ts';
import { headerNameProblems } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';

/** What a hook or probe may do; each has some of these. */
type Action = Unchecked<V1Probe & V1LifecycleHandler>;

/** The three probes of a container. */
export function validateProbes(
  container: { readonly [Key in 'livenessProbe' | 'readinessProbe' | 'startupProbe']?: Unchecked<V1Probe> | undefined },
  graceSeconds: number | undefined,
  path: string,
): FieldProblem[] {
  const { livenessProbe, readinessProbe, startupProbe } = container;
  return [
    ...validateProbe(livenessProbe, graceSeconds, `${path}.livenessProbe`),
    ...validateSuccessThreshold(livenessProbe, `${path}.livenessProbe`),
    ...validateProbe(readinessProbe, graceSeconds, `${path}.readinessProbe`),
    ...validateReadinessGrace(readinessProbe, `${path}.readinessProbe`),
    ...validateProbe(startupProbe, graceSeconds, `${path}.startupProbe`),
    ...validateSuccessThreshold(startupProbe, `${path}.startupProbe`),
  ];
}

function validateProbe(probe: Unchecked<V1Probe> | undefined, graceSeconds: number | undefined, path: string): FieldProblem[] {
  if (probe === undefined) return [];
  const problems = validateAction(probe, graceSeconds, path);
  for (const field of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const) {
    problems.push(...notNegative(`${path}.${field}`, probe[field]));
  }
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) problems.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  return problems;
}

function validateSuccessThreshold(probe: Unchecked<V1Probe> | undefined, path: string): FieldProblem[] {
  if (probe === undefined || probe.successThreshold === 1) return [];
  return [invalid(`${path}.successThreshold`, probe.successThreshold ?? 0, 'must be 1')];
}

function validateReadinessGrace(probe: Unchecked<V1Probe> | undefined, path: string): FieldProblem[] {
  const grace = probe?.terminationGracePeriodSeconds;
  return grace === undefined ? [] : [invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes')];
}

/** Hooks after the start and before the end. */
export function validateLifecycle(lifecycle: Unchecked<V1Lifecycle>, graceSeconds: number | undefined, path: string): FieldProblem[] {
  const { postStart, preStop } = lifecycle;
  return [
    ...(postStart === undefined ? [] : validateAction(postStart, graceSeconds, `${path}.postStart`)),
    ...(preStop === undefined ? [] : validateAction(preStop, graceSeconds, `${path}.preStop`)),
  ];
}

/** Exactly one action; the first one found counts, others are refused. */
function validateAction(action: Action, graceSeconds: number | undefined, path: string): FieldProblem[] {
  const { exec, httpGet, tcpSocket, grpc, sleep } = action;
  const checks: [string, unknown, () => FieldProblem[]][] = [
    ['exec', exec, () => ((exec?.command?.length ?? 0) === 0 ? [required(`${path}.exec.command`)] : [])],
    ['httpGet', httpGet, () => validateHttpGet(httpGet ?? {}, `${path}.httpGet`)],
    ['tcpSocket', tcpSocket, () => portNumberOrName(`${path}.tcpSocket.port`, tcpSocket?.port)],
    ['grpc', grpc, () => portNumberOrName(`${path}.grpc.port`, grpc?.port)],
    ['sleep', sleep, () => validateSleep(sleep?.seconds ?? 0, graceSeconds, `${path}.sleep`)],
  ];
  const given = checks.filter(([, value]) => value !== undefined);
  if (given.length === 0) return [required(path, 'must specify a handler type')];
  return given.flatMap(([name, , check], at) =>
    at === 0 ? check() : [forbiddenField(`${path}.${name}`, 'may not specify more than 1 handler type')],
  );
}

function validateHttpGet(
  { path: urlPath = '', port, scheme = '', httpHeaders = [] }: Unchecked<V1HTTPGetAction>,
  path: string,
): FieldProblem[] {
  return [
    ...(urlPath === '' ? [required(`${path}.path`)] : []),
    ...portNumberOrName(`${path}.port`, port),
    ...oneOfIfSet(`${path}.scheme`, scheme, ['HTTP', 'HTTPS']),
    ...httpHeaders.flatMap(({ name = '' }) => invalidEach(`${path}.httpHeaders`, name, headerNameProblems(name))),
  ];
}

function validateSleep(seconds: number, graceSeconds: number | undefined, path: string): FieldProblem[] {
  if (graceSeconds === undefined || (seconds >= 0 && seconds <= graceSeconds)) return [];
  return [invalid(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`)];
}
