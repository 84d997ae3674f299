import type { Client } from '#client/client.ts';
import type { Folders } from '../folders.ts';
import type { Patches } from '../manifests/patches.ts';
import type { HostFacts } from '../preflight/facts.ts';
import type { Surroundings } from '../surroundings.ts';
import type { BootstrapToken } from '../token/bootstrap-token.ts';
import type { Phase } from '../phase.ts';
import type { InitFlagValues, LoadedInit } from './flags.ts';

/** What the phases of one `kubeadm init` share. */
export interface InitJob extends LoadedInit {
  readonly flags: InitFlagValues;
  readonly folders: Folders;
  /** The paths in messages: those of a real run, also in a dry run. */
  readonly shown: Folders;
  readonly host: Surroundings;
  readonly facts: HostFacts;
  readonly isDryRun: boolean;
  readonly patches: Patches;
  /** The first is the one that join commands are printed with. */
  readonly tokens: readonly BootstrapToken[];
  /** What uploaded certificates are encrypted with: AES-256, in hex. */
  readonly certificateKey: string;
  /** Made when it is first asked for, with the super-admin's kubeconfig. */
  client(): Client;
}

/** What phases need that an upgrade runs again. */
export type NodeJob = Pick<InitJob, 'client' | 'config' | 'folders' | 'host' | 'isDryRun' | 'patches' | 'shown'>;

/** One step of `kubeadm init`, which `kubeadm init phase …` runs alone. */
export type InitPhase = Phase<InitJob>;
