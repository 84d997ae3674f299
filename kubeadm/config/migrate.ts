// v1beta3 documents become v1beta4: what moved between the two, and nothing else.
// https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/#hdr-Migration_from_old_kubeadm_config_versions

type Fields = Readonly<Record<string, unknown>>;

const oldVersion = 'kubeadm.k8s.io/v1beta3';
const newVersion = 'kubeadm.k8s.io/v1beta4';

/** The documents of one file, those of other groups and versions as they are. */
export function migrated(documents: readonly Fields[]): readonly Fields[] {
  const health = documents.map(healthTimeout).find((text) => text !== undefined);
  return documents.map((document) => {
    if (document['apiVersion'] !== oldVersion) return document;
    const { kind, ...rest } = { ...document, apiVersion: newVersion } as { kind?: unknown } & Fields;
    return { kind, ...(convert[String(kind)]?.(rest, health) ?? rest) };
  });
}

type Convert = (document: Fields, health: unknown) => Fields;

const convert: Readonly<Record<string, Convert>> = {
  ClusterConfiguration: (document) =>
    changed(document, {
      apiServer: (component) => without(withArguments(component), 'timeoutForControlPlane'),
      controllerManager: withArguments,
      scheduler: withArguments,
      etcd: (etcd) => changed(etcd, { local: withArguments }),
    }),
  InitConfiguration: (document, health) =>
    withTimeouts(changed(document, { nodeRegistration: withKubeletArguments }), { controlPlaneComponentHealthCheck: health }),
  JoinConfiguration: (document, health) => {
    const discovery = fieldsOf(document['discovery']);
    const next = changed(document, { nodeRegistration: withKubeletArguments, discovery: (found) => without(found, 'timeout') });
    return withTimeouts(next, { controlPlaneComponentHealthCheck: health, discovery: discovery['timeout'] });
  },
};

function healthTimeout(document: Fields): unknown {
  return document['apiVersion'] === oldVersion ? fieldsOf(document['apiServer'])['timeoutForControlPlane'] : undefined;
}

function withArguments(component: Fields): Fields {
  return changed(component, {}, { extraArgs: argumentList });
}

function withKubeletArguments(registration: Fields): Fields {
  return changed(registration, {}, { kubeletExtraArgs: argumentList });
}

/** A map of arguments becomes a list, sorted by name. */
function argumentList(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  const names = Object.keys(value).sort();
  return names.map((name) => ({ name, value: String((value as Fields)[name]) }));
}

function withTimeouts(document: Fields, found: Readonly<Record<string, unknown>>): Fields {
  const given = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
  if (Object.keys(given).length === 0) return document;
  return { ...document, timeouts: { ...given, ...fieldsOf(document['timeouts']) } };
}

/** The fields that are there, converted. */
function changed(
  document: Fields,
  objects: Readonly<Record<string, (value: Fields) => Fields>>,
  values: Readonly<Record<string, (value: unknown) => unknown>> = {},
): Fields {
  return Object.fromEntries(
    Object.entries(document).map(([field, value]) => {
      const [object, plain] = [objects[field], values[field]];
      if (object !== undefined && typeof value === 'object' && value !== null) return [field, object(value as Fields)];
      return [field, plain === undefined ? value : plain(value)];
    }),
  );
}

function without(document: Fields, field: string): Fields {
  return Object.fromEntries(Object.entries(document).filter(([name]) => name !== field));
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
