/** How a client proves who it is. Files are read again when they change, so that rotated credentials need no restart. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'certificate'; readonly cert: string; readonly key: string }
  | { readonly kind: 'certificate-files'; readonly certFile: string; readonly keyFile: string }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'token-file'; readonly tokenFile: string }
  | { readonly kind: 'token-source'; readonly source: TokenSource };

/** Gives tokens that are asked for as they are needed. */
export interface TokenSource {
  /** At once where one is known. */
  get(): string | Promise<string>;
  /** The server refused the token. */
  forget(): void;
}

/** Where an API server is, whom to trust there, and as whom to come. */
export interface ApiEndpoint {
  /** `https://host:port`, possibly with a path in front of `/api`. */
  readonly server: string;
  /** PEM text of the authorities to trust; the system's where absent. */
  readonly ca?: string | undefined;
  /** Name that the server's certificate must carry, where it differs from the host in `server`. */
  readonly serverName?: string | undefined;
  /** Trusts any certificate: only where the user asked for it (`insecure-skip-tls-verify`). */
  readonly insecure?: boolean | undefined;
  readonly credentials: Credentials;
}
