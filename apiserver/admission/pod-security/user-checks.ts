// Whom containers run as.
import type { V1PodSpec } from '#api/generated/types.ts';
import { type Check, containersText, offendersBy, settersText, unlessUserNamespace, type Violation } from './check.ts';

export const runAsNonRoot: Check = {
  id: 'runAsNonRoot',
  level: 'restricted',
  versions: [
    { since: 0, check: checkNonRoot },
    { since: 35, check: unlessUserNamespace(checkNonRoot) },
  ],
};

function checkNonRoot(spec: V1PodSpec): Violation | undefined {
  const reason = 'runAsNonRoot != true';
  const ofPod = spec.securityContext?.runAsNonRoot;
  const who = settersText(
    ofPod === false,
    offendersBy(spec, (context) => context?.runAsNonRoot === false),
  );
  if (who !== '') return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  if (ofPod === true) return undefined;
  const silent = offendersBy(spec, (context) => context?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${containersText(silent)} must set securityContext.runAsNonRoot=true` };
}

export const runAsUser: Check = {
  id: 'runAsUser',
  level: 'restricted',
  versions: [
    { since: 23, check: checkUser },
    { since: 35, check: unlessUserNamespace(checkUser) },
  ],
};

function checkUser(spec: V1PodSpec): Violation | undefined {
  const who = settersText(
    spec.securityContext?.runAsUser === 0,
    offendersBy(spec, (context) => context?.runAsUser === 0),
  );
  return who === '' ? undefined : { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` };
}
