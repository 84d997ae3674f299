// Finds out what this engine refuses, by asking it to start short-lived sandboxes: the only way to know what its runtime, the kernel
// and the bounding set of its process allow. One start when nothing is refused, three more when something is.
import { readFile } from 'node:fs/promises';
import { type Refusal, RuntimeError } from '../contract.ts';
import type { Abilities } from './container-config.ts';
import type { Engine } from './engine.ts';
import { clusterLabel } from './names.ts';

export interface Measured extends Abilities {
  readonly refusals: readonly Refusal[];
}

const trialLabel = 'coxswain.trial';

const trials: readonly { readonly what: Refusal['what']; readonly hostConfig: object }[] = [
  { what: 'negativeOomScore', hostConfig: { OomScoreAdj: -997 } },
  { what: 'privileged', hostConfig: { Privileged: true } },
  { what: 'sysResource', hostConfig: { CapAdd: ['SYS_RESOURCE'] } },
];

/** `image` must be there and may be any that keeps running. */
export async function measureAbilities(engine: Engine, image: string, cluster: string, signal: AbortSignal): Promise<Measured> {
  await removeLeftovers(engine, cluster, signal);
  const givable = await givableCapabilities();
  // A kernel that gives us all it has most likely gives it to the engine too: one trial of everything shows it.
  if (givable.includes('SYS_RESOURCE')) {
    const together = Object.assign({}, ...trials.map((trial) => trial.hostConfig)) as object;
    if ((await refusalOf(engine, { image, cluster, hostConfig: together }, signal)) === undefined) {
      return { refuses: new Set(), refusals: [], capabilities: givable };
    }
  }
  const [capabilities, ...each] = await Promise.all([
    knownCapabilities(engine, image, cluster, givable, signal),
    ...trials.map(async ({ what, hostConfig }) => ({ what, why: await refusalOf(engine, { image, cluster, hostConfig }, signal) })),
  ]);
  const refusals = each.flatMap(({ what, why }) => (why === undefined ? [] : [{ what, why }]));
  return { refuses: new Set(refusals.map(({ what }) => what)), refusals, capabilities };
}

/** Those that the engine has a name for: the kernel may be newer. */
async function knownCapabilities(
  engine: Engine,
  image: string,
  cluster: string,
  givable: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  let names = givable;
  for (let left = givable.length; left > 0; left--) {
    const why = await refusalOf(engine, { image, cluster, hostConfig: { CapAdd: names }, upTo: 'create' }, signal);
    const unknown = /unknown capability: "?(?:CAP_)?(\w+)/.exec(why ?? '')?.[1];
    if (unknown === undefined) break;
    names = names.filter((name) => name !== unknown);
  }
  return names;
}

interface Trial {
  readonly image: string;
  readonly cluster: string;
  readonly hostConfig: object;
  /** Default: the container is also started. */
  readonly upTo?: 'create' | 'start';
}

/** Runs a trial container and removes it. Returns the engine's message if it refuses, undefined if it does not. */
async function refusalOf(
  engine: Engine,
  { image, cluster, hostConfig, upTo = 'start' }: Trial,
  signal: AbortSignal,
): Promise<string | undefined> {
  const body = {
    Image: image,
    Labels: { [clusterLabel]: cluster, [trialLabel]: 'true' },
    HostConfig: { NetworkMode: 'none', ...hostConfig },
  };
  let id: string | undefined;
  try {
    ({ Id: id } = await engine.call<{ Id: string }>('POST', '/containers/create', { body }, signal));
    if (upTo === 'start') await engine.call('POST', `/containers/${id}/start`, {}, signal);
    return undefined;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'Refused') return error.message;
    throw error;
  } finally {
    if (id !== undefined) await engine.call('DELETE', `/containers/${id}`, { query: { force: true } }, signal);
  }
}

/** A kubelet that was killed while it measured leaves its trials behind. */
async function removeLeftovers(engine: Engine, cluster: string, signal: AbortSignal): Promise<void> {
  const filters = { label: [`${clusterLabel}=${cluster}`, trialLabel] };
  const found = await engine.call<{ Id: string }[]>('GET', '/containers/json', { query: { all: true, filters } }, signal);
  for (const { Id } of found) await engine.call('DELETE', `/containers/${Id}`, { query: { force: true } }, signal);
}

/** Capability names by number, as in the kernel's capability.h. */
const capabilityNames =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'.split(
    ' ',
  );

/** What our own bounding set holds: the engine, on the same host, can hardly have more. */
async function givableCapabilities(): Promise<readonly string[]> {
  const status = await readFile('/proc/self/status', 'utf8');
  const bits = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return capabilityNames.filter((_, number) => (bits >> BigInt(number)) & 1n);
}
