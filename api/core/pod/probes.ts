// Probes and lifecycle hooks.
import type { V1HTTPGetAction, V1Lifecycle, V1LifecycleHandler, V1Probe } from '#api/generated/types.ts';
import { headerNameProblems } from '../../meta/names.ts';
import type { Problems } from '../../meta/problems.ts';
import type { Unchecked } from '../../meta/unchecked.ts';

type Probe = Unchecked<V1Probe>;
/** What a hook or probe may do; each has some of these. */
type Action = Unchecked<V1Probe & V1LifecycleHandler>;
/** Of the pod: how long it has to end. */
type GraceSeconds = number | undefined;

/** The three probes of a container. */
export function checkProbes(
  container: { readonly [Key in 'livenessProbe' | 'readinessProbe' | 'startupProbe']?: Probe | undefined },
  at: Problems,
  graceSeconds: GraceSeconds,
): void {
  at.member('livenessProbe', container.livenessProbe, checkProbeForOne, graceSeconds);
  at.member('readinessProbe', container.readinessProbe, checkReadinessProbe, graceSeconds);
  at.member('startupProbe', container.startupProbe, checkProbeForOne, graceSeconds);
}

/** A probe that one success is enough for. */
function checkProbeForOne(probe: Probe, at: Problems, graceSeconds: GraceSeconds): void {
  checkProbe(probe, at, graceSeconds);
  if (probe.successThreshold !== 1) at.invalid('successThreshold', probe.successThreshold ?? 0, 'must be 1');
}

function checkReadinessProbe(probe: Probe, at: Problems, graceSeconds: GraceSeconds): void {
  checkProbe(probe, at, graceSeconds);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined) at.invalid('terminationGracePeriodSeconds', grace, 'must not be set for readinessProbes');
}

function checkProbe(probe: Probe, at: Problems, graceSeconds: GraceSeconds): void {
  checkAction(probe, at, graceSeconds);
  at.notNegative('initialDelaySeconds', probe.initialDelaySeconds);
  at.notNegative('timeoutSeconds', probe.timeoutSeconds);
  at.notNegative('periodSeconds', probe.periodSeconds);
  at.notNegative('successThreshold', probe.successThreshold);
  at.notNegative('failureThreshold', probe.failureThreshold);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) at.invalid('terminationGracePeriodSeconds', grace, 'must be greater than 0');
}

/** Hooks after the start and before the end. */
export function checkLifecycle({ postStart, preStop }: Unchecked<V1Lifecycle>, at: Problems, graceSeconds: GraceSeconds): void {
  at.member('postStart', postStart, checkAction, graceSeconds);
  at.member('preStop', preStop, checkAction, graceSeconds);
}

const actions = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

/** Exactly one action; the first one found counts, others are refused. */
function checkAction(action: Action, at: Problems, graceSeconds: GraceSeconds): void {
  let isFound = false;
  for (const name of actions) {
    if (action[name] === undefined) continue;
    if (isFound) at.forbidden(name, 'may not specify more than 1 handler type');
    else checkNamedAction(action, name, at, graceSeconds);
    isFound = true;
  }
  if (!isFound) at.required('', 'must specify a handler type');
}

function checkNamedAction(action: Action, name: (typeof actions)[number], at: Problems, graceSeconds: GraceSeconds): void {
  const { exec, httpGet, tcpSocket, grpc, sleep } = action;
  if (name === 'exec' && (exec?.command?.length ?? 0) === 0) at.required('exec.command');
  else if (name === 'httpGet') at.member('httpGet', httpGet, checkHttpGet);
  else if (name === 'tcpSocket') at.port('tcpSocket.port', tcpSocket?.port);
  else if (name === 'grpc') at.port('grpc.port', grpc?.port);
  else if (name === 'sleep') checkSleep(sleep?.seconds ?? 0, at, graceSeconds);
}

function checkHttpGet({ path = '', port, scheme = '', httpHeaders }: Unchecked<V1HTTPGetAction>, at: Problems): void {
  if (path === '') at.required('path');
  at.port('port', port);
  at.oneOfIfSet('scheme', scheme, ['HTTP', 'HTTPS']);
  for (const { name = '' } of httpHeaders ?? []) at.invalidEach('httpHeaders', name, headerNameProblems(name));
}

function checkSleep(seconds: number, at: Problems, graceSeconds: GraceSeconds): void {
  if (graceSeconds === undefined || (seconds >= 0 && seconds <= graceSeconds)) return;
  at.invalid('sleep', seconds, `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`);
}
