// The images of whatever runs containers, as contract.ts has the rest. Failures are RuntimeError.

/** Images as the engine has them. Policies, back-off and credentials are kubelet/images' business. */
export interface ImageStore {
  list(signal: AbortSignal): Promise<readonly StoredImage[]>;
  /** By any reference or id; undefined when it is not here. Throws RuntimeError 'ImageInspect' when the engine fails. */
  find(reference: string, signal: AbortSignal): Promise<StoredImage | undefined>;
  /**
   * The folders of the host that hold an image's files, the topmost layer first; undefined when the engine has no such folders. What
   * is made of them must not outlive the image.
   */
  layers(reference: string, signal: AbortSignal): Promise<readonly string[] | undefined>;
  /**
   * Asks the registry with these credentials, also for what is here: that proves nothing about who may have it. Throws RuntimeError
   * 'ImagePull' (or 'Unavailable') with the registry's words.
   */
  pull(reference: string, options: PullOptions, signal: AbortSignal): Promise<StoredImage>;
  /** Succeeds when it is gone already; throws RuntimeError 'InUse' when a container needs it. */
  remove(reference: string, signal: AbortSignal): Promise<void>;
}

export interface StoredImage {
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  /** The image's own user: a number, a name, or '' for root. */
  readonly user: string;
  /** What a status shows as imageID. */
  readonly ref: string;
}

export interface PullOptions {
  readonly credentials?: RegistryCredentials;
  /** Called with lines such as `a1b2: Downloading 12/30 MB`; at most a few a second. */
  readonly onProgress?: (line: string) => void;
}

export interface RegistryCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly identityToken?: string;
  readonly serverAddress: string;
}
