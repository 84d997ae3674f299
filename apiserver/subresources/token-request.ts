import { randomUUID } from 'node:crypto';
import type { KindDefinition } from '#api/kind.ts';
import { invalid, invalidObject } from '#api/meta/field-problem.ts';
import type { JsonObject, KubeObject, ObjectMeta } from '#api/meta/object.ts';
import { badRequest, conflict, hasReason } from '#api/meta/status.ts';
import type { ClaimedObject, KubernetesClaims } from '../authn/token-claims.ts';
import type { TokenSigner } from '../authn/token-keys.ts';
import { sendValue } from '../http/respond.ts';
import type { Registry, RequestContext } from '../registry/contract.ts';
import { setNamespace } from '../registry/prepare.ts';
import { cloneJson } from '#api/patch/json-object.ts';
import { actOwner } from './act-owner.ts';
import { actBody, member, text } from './body.ts';
import type { SubresourceHandler } from './contract.ts';

export interface TokenRequestDeps {
  readonly signer: TokenSigner;
  /** What the API server itself accepts; the default of requests. */
  readonly audiences: readonly string[];
  /** The longest lifetime that is given, whatever is asked for; undefined: no bound. */
  readonly maxSeconds?: number | undefined;
  /** Absent: true. */
  readonly extendsPodTokens?: boolean | undefined;
}

const requestKind = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenRequest',
  schema: 'io.k8s.api.authentication.v1.TokenRequest',
};
const defaultSeconds = 3_600;
const minSeconds = 600;
const maxSeconds = 2 ** 32;
/** Pods ask for this lifetime and get a longer one, with a warning on late use, so that clients that never reread the file live on. */
const podTokenSeconds = 3_607;
const extendedSeconds = 365 * 24 * 3_600;

/** `serviceaccounts/NAME/token`: signs a token for an account, if wanted bound to a pod, a secret or a node. */
export function tokenRequest({ signer, audiences: ours, maxSeconds, extendsPodTokens = true }: TokenRequestDeps): SubresourceHandler {
  const own = actOwner();
  return {
    verbs: ['create'],
    serve: async (exchange, kind, deps) => {
      const { registry, clock, negotiator } = deps;
      const act = await actBody(exchange, requestKind, deps);
      const context = { ...act.context, subresource: '' };
      const { body } = act;
      own(body, requestKind, act.context, deps);
      const name = exchange.info.pathName;
      const spec = member(body, 'spec');
      const metadata = member(body, 'metadata') as ObjectMeta;
      setNamespace(kind, metadata, context.namespace);
      checkName(metadata, name);
      const account = (await registry.get(kind, name, '', context)).object();
      checkUid(metadata, account);
      const askedSeconds = lifetime(spec);
      // Mutating plugins see what was asked for; what they change of it is not taken up.
      const object = cloneJson(body) as unknown as KubeObject;
      await registry.admit({ kind, operation: 'CREATE', name, context: act.context, object, previous: undefined });
      const asked = Array.isArray(spec['audiences']) ? spec['audiences'].map(String) : [];
      const audiences = asked.length === 0 ? ours : asked;
      const reference = member(spec, 'boundObjectRef');
      const bound = Object.keys(reference).length === 0 ? {} : await bindTo(registry, reference, name, context);
      const expirationSeconds = Math.min(askedSeconds, maxSeconds ?? askedSeconds);
      if (expirationSeconds < askedSeconds) {
        exchange.warn(`requested expiration of ${askedSeconds} seconds shortened to ${expirationSeconds} seconds`);
      }
      const nowSeconds = Math.floor(clock.nowMs() / 1_000);
      const isPodToken =
        extendsPodTokens &&
        expirationSeconds === podTokenSeconds &&
        bound.pod !== undefined &&
        audiences.every((one) => ours.includes(one));
      const claims: KubernetesClaims = {
        namespace: context.namespace,
        ...bound,
        serviceaccount: { name, uid: account.metadata.uid ?? '' },
        ...(isPodToken ? { warnafter: nowSeconds + expirationSeconds } : {}),
      };
      const id = randomUUID();
      const lastsSeconds = isPodToken ? extendedSeconds : expirationSeconds;
      const token = context.dryRun ? '' : await signer.sign({ id, audiences, claims, nowSeconds, expirationSeconds: lastsSeconds });
      if (!context.dryRun) exchange.audit?.annotate('authentication.kubernetes.io/issued-credential-id', `JTI=${id}`);
      sendValue(exchange, negotiator.negotiate(exchange.request.headers.accept, 'no-table'), 201, {
        kind: 'TokenRequest',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: { creationTimestamp: isoSeconds(nowSeconds), ...metadata, name, namespace: context.namespace },
        spec: {
          audiences,
          expirationSeconds,
          boundObjectRef: Object.keys(reference).length === 0 ? null : reference,
        },
        status: { token, expirationTimestamp: isoSeconds(nowSeconds + expirationSeconds) },
      });
    },
  };
}

/** A request names its account or none. Throws Invalid. */
function checkName({ name: given = '' }: ObjectMeta, name: string): void {
  if (given === '' || given === name) return;
  throw invalidObject(requestKind, name, [invalid('metadata.name', given, 'must match the service account name if specified')]);
}

/** Throws Conflict where the account has been made anew since. */
function checkUid({ uid: asked = '' }: ObjectMeta, { metadata: { name = '', uid = '' } }: KubeObject): void {
  if (asked === '' || asked === uid) return;
  const why = `the UID in the token request (${asked}) does not match the UID of the service account (${uid})`;
  throw conflict({ group: requestKind.group, plural: requestKind.kind }, name, why);
}

function lifetime(spec: JsonObject): number {
  const asked = spec['expirationSeconds'] ?? defaultSeconds;
  if (typeof asked !== 'number' || !Number.isInteger(asked)) {
    throw badRequest('json: cannot unmarshal into Go struct field TokenRequestSpec.spec.expirationSeconds of type int64');
  }
  const why =
    asked < minSeconds
      ? 'may not specify a duration less than 10 minutes'
      : asked > maxSeconds
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined;
  if (why === undefined) return asked;
  throw invalidObject(requestKind, '', [invalid('spec.expirationSeconds', asked, why)]);
}

type Bound = Pick<KubernetesClaims, 'pod' | 'secret' | 'node'>;

async function bindTo(registry: Registry, reference: JsonObject, account: string, context: RequestContext): Promise<Bound> {
  const kind = text(reference, 'kind');
  const apiVersion = text(reference, 'apiVersion');
  const name = text(reference, 'name');
  const plural = apiVersion === 'v1' ? { Pod: 'pods', Secret: 'secrets', Node: 'nodes' }[kind] : undefined;
  const definition = plural === undefined ? undefined : registry.find('', 'v1', plural);
  if (definition === undefined) throw badRequest(`cannot bind token to object of type ${gvkText(apiVersion, kind)}`);
  const where = kind === 'Node' ? { ...context, namespace: '' } : context;
  const object = (await registry.get(definition, name, '', where)).object();
  const uid = object.metadata.uid ?? '';
  const wanted = text(reference, 'uid');
  if (wanted !== '' && wanted !== uid) {
    const why = `the UID in the bound object reference (${wanted}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: '', plural: kind }, name, why);
  }
  const claimed: ClaimedObject = { name, uid };
  if (kind === 'Secret') return { secret: claimed };
  if (kind === 'Node') return { node: claimed };
  const { serviceAccountName = '', nodeName = '' } =
    (object as KubeObject & { spec?: { serviceAccountName?: string; nodeName?: string } }).spec ?? {};
  if (serviceAccountName !== account) {
    throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`);
  }
  const node = nodeName === '' ? undefined : await findNode(registry, nodeName, context);
  return { pod: claimed, ...(node === undefined ? {} : { node }) };
}

async function findNode(registry: Registry, name: string, context: RequestContext): Promise<ClaimedObject | undefined> {
  const nodes: KindDefinition | undefined = registry.find('', 'v1', 'nodes');
  if (nodes === undefined) return undefined;
  try {
    const node = (await registry.get(nodes, name, '', { ...context, namespace: '' })).object();
    return { name, uid: node.metadata.uid ?? '' };
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    // A pod may say where it runs before that node is registered.
    return { name, uid: '' };
  }
}

function gvkText(apiVersion: string, kind: string): string {
  return `${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${kind}`;
}

function isoSeconds(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z');
}
