import { boolFlag, durationFlag, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { LeaderOptions } from './leader-election.ts';

interface LeaderValues {
  readonly 'leader-elect': boolean;
  readonly 'leader-elect-lease-duration': number;
  readonly 'leader-elect-renew-deadline': number;
  readonly 'leader-elect-resource-lock': string;
  readonly 'leader-elect-resource-name': string;
  readonly 'leader-elect-resource-namespace': string;
  readonly 'leader-elect-retry-period': number;
}

/** Upstream's flags of a process of which one works at a time. @param lease the lease's name by default. */
export const leaderFlags = (lease: string) =>
  ({
    'leader-elect': boolFlag(true, 'Work only while holding the leader lease; needed where several run'),
    'leader-elect-lease-duration': durationFlag(15_000, 'How long others wait after the last renewal before they take the lease'),
    'leader-elect-renew-deadline': durationFlag(10_000, 'How long the holder goes on without a successful renewal'),
    'leader-elect-resource-lock': stringFlag('leases', 'Kind of the lock; only leases'),
    'leader-elect-resource-name': stringFlag(lease, 'Name of the lease'),
    'leader-elect-resource-namespace': stringFlag('kube-system', 'Namespace of the lease'),
    'leader-elect-retry-period': durationFlag(2_000, 'How long to wait between tries to get or renew the lease'),
  }) as const;

/** Undefined works without a lease. Throws a UsageError that names the flag. */
export function readLeader(values: LeaderValues): LeaderOptions | undefined {
  if (values['leader-elect-resource-lock'] !== 'leases') throw new UsageError('--leader-elect-resource-lock: only leases are supported');
  const leaseMs = values['leader-elect-lease-duration'];
  const renewDeadlineMs = values['leader-elect-renew-deadline'];
  const retryMs = values['leader-elect-retry-period'];
  if (leaseMs <= renewDeadlineMs) throw new UsageError('--leader-elect-lease-duration must be greater than --leader-elect-renew-deadline');
  // Upstream asks for the deadline to be well above the retry period (jitter factor 1.2).
  if (renewDeadlineMs <= 1.2 * retryMs)
    throw new UsageError('--leader-elect-renew-deadline must be greater than 1.2 times the retry period');
  if (!values['leader-elect']) return undefined;
  const [namespace, name] = [values['leader-elect-resource-namespace'], values['leader-elect-resource-name']];
  return { namespace, name, leaseMs, renewDeadlineMs, retryMs };
}
