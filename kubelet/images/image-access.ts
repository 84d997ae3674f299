// Who may use an image that is on the node. One that the registry gave for a name and a password is not there for every pod: those that show
// neither that secret nor the same words ask the registry themselves. What the host had before is everybody's, unless the node says
// otherwise. (KEP-2535)
// - Before a pull that shows credentials its reference is noted, so that a kubelet which is killed meanwhile does not take what came for the
//   host's own.
// - Records go by the image's id: the same image under another name is the same secret.
import { createHash } from 'node:crypto';
import type { Log } from '#base/log.ts';
import type { RegistryCredentials } from '../runtime/image-contract.ts';
import { type OfferedCredentials, type PullSecret, credentialsFor } from './credentials.ts';
import type { ImageReference } from './reference.ts';
import { RememberedFile } from './remembered-file.ts';

export type VerificationPolicy = 'NeverVerify' | 'NeverVerifyPreloadedImages' | 'NeverVerifyAllowlistedImages' | 'AlwaysVerify';

export interface AccessSettings {
  readonly policy: VerificationPolicy;
  /** Repositories, or beginnings of them that end in `/*`, that are everybody's where the host had them before. */
  readonly allowlist: readonly string[];
}

interface SecretUse {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly digest: string;
}

/** `everybody`: the registry wanted no name. */
type Users = 'everybody' | readonly SecretUse[];

interface Remembered {
  readonly images: Readonly<Record<string, Readonly<Record<string, Users>>>>;
  readonly intents: readonly string[];
}

const defaults: AccessSettings = { policy: 'NeverVerifyPreloadedImages', allowlist: [] };
/** More secrets than that are not remembered for an image: who shows another one asks the registry. */
const maxSecrets = 100;

export class ImageAccess {
  readonly #file: RememberedFile;
  readonly #settings: AccessSettings;
  /** By image id and repository. */
  readonly #images = new Map<string, Map<string, Users>>();
  readonly #intents = new Set<string>();

  constructor(path: string, log: Log, settings: AccessSettings = defaults) {
    this.#file = new RememberedFile(path, log);
    this.#settings = settings;
  }

  /** Reads what an earlier kubelet wrote, and forgets images that are gone. */
  async load(isThere: (id: string) => Promise<boolean>): Promise<void> {
    const { images = {}, intents = [] } = ((await this.#file.load()) ?? {}) as Partial<Remembered>;
    for (const intent of intents) this.#intents.add(intent);
    for (const [id, users] of Object.entries(images)) {
      if (!this.#images.has(id) && (await isThere(id))) this.#images.set(id, new Map(Object.entries(users)));
    }
  }

  /** Whether a pod with these secrets may use an image that is there without asking the registry. */
  async allows(id: string, reference: ImageReference, secrets: readonly PullSecret[]): Promise<boolean> {
    const users = this.#images.get(id);
    const isOurs = users !== undefined || this.#intents.has(reference.text);
    if (this.#settings.policy === 'NeverVerify' || (!isOurs && this.#opensHosts(reference))) return true;
    const known = users?.get(repositoryOf(reference));
    if (known === undefined) return false;
    if (known === 'everybody') return true;
    for (const use of credentialsFor(reference, secrets).map(useOf)) {
      const isSame = known.some((one) => isSameSecret(one, use));
      const isEqual = known.some(({ digest }) => digest === use.digest);
      if (!isSame && !isEqual) continue;
      if (!isSame || !isEqual) await this.#record(id, reference, use);
      return true;
    }
    return false;
  }

  /** A pull with credentials begins. Resolves when it is on the disk. */
  async begin(reference: ImageReference): Promise<void> {
    if (this.#intents.has(reference.text)) return;
    this.#intents.add(reference.text);
    await this.#save();
  }

  /** It has failed. */
  async fail(reference: ImageReference): Promise<void> {
    if (this.#intents.delete(reference.text)) await this.#save();
  }

  /** An image came, for these credentials or for nobody's. */
  async came(id: string, reference: ImageReference, offered: OfferedCredentials | undefined): Promise<void> {
    this.#intents.delete(reference.text);
    await this.#record(id, reference, offered === undefined ? undefined : useOf(offered));
  }

  /** True for an image of the host's that is everybody's, and stays so whoever pulls it again. */
  isHosts(id: string, reference: ImageReference): boolean {
    return !this.#images.has(id) && this.#opensHosts(reference);
  }

  /** Whether the node lets everybody have what the host had before. */
  #opensHosts(reference: ImageReference): boolean {
    const { policy } = this.#settings;
    return policy === 'NeverVerifyAllowlistedImages' ? this.#isListed(reference) : policy !== 'AlwaysVerify';
  }

  async #record(id: string, reference: ImageReference, use: SecretUse | undefined): Promise<void> {
    const users = this.#images.get(id) ?? new Map<string, Users>();
    this.#images.set(id, users);
    const repository = repositoryOf(reference);
    const known = users.get(repository) ?? [];
    if (use === undefined || known === 'everybody') users.set(repository, 'everybody');
    else users.set(repository, [...known.filter((one) => !isSameSecret(one, use)), use].slice(-maxSecrets));
    await this.#save();
  }

  #isListed(reference: ImageReference): boolean {
    const repository = repositoryOf(reference);
    return this.#settings.allowlist.some((one) => (one.endsWith('/*') ? repository.startsWith(one.slice(0, -1)) : repository === one));
  }

  async #save(): Promise<void> {
    await this.#file.save((): Remembered => {
      const images = Array.from(this.#images, ([id, users]) => [id, Object.fromEntries(users)] as const);
      return { images: Object.fromEntries(images), intents: [...this.#intents] };
    });
  }
}

function repositoryOf({ registry, path }: ImageReference): string {
  return `${registry}/${path}`;
}

function isSameSecret(left: SecretUse, right: SecretUse): boolean {
  return left.uid === right.uid && left.namespace === right.namespace && left.name === right.name;
}

function useOf({ credentials, secret }: OfferedCredentials): SecretUse {
  const { uid = '', namespace = '', name = '' } = secret.metadata ?? {};
  return { uid, namespace, name, digest: digestOf(credentials) };
}

/** The words themselves are not remembered. */
function digestOf({ username = '', password = '', identityToken = '' }: RegistryCredentials): string {
  return createHash('sha256')
    .update(JSON.stringify([username, password, identityToken]))
    .digest('hex');
}
