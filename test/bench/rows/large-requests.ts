// Requests that could hold up everybody else: as large as a body may be, and answers of everything there is.

const bodyBytes = 3 * 1_024 * 1_024 - 1_024;
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const protobuf = 'application/vnd.kubernetes.protobuf';
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const podOf = '{"metadata":{"name":"x"},"spec":{"containers":[';

export interface LargeRequest {
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: () => string;
  readonly type?: string;
  readonly accept?: string;
}

/** In an order in which later ones find what earlier ones made. `namespace`: the path of one with many pods. */
export function largeRequests(namespace: string): readonly LargeRequest[] {
  const [pods, maps] = [`${namespace}/pods`, `${namespace}/configmaps`];
  return [...posts(pods, maps), ...patches(pods, maps), ...answers(maps), ...rules(), remove(pods)];
}

function posts(pods: string, maps: string): LargeRequest[] {
  return [
    post('empty containers', pods, () => filled(podOf, '{}', ']}}')),
    post('null containers', pods, () => filled(podOf, 'null', ']}}')),
    post('45,000 empty containers', pods, () => filled(podOf, '{}', ']}}', 45_000)),
    post('an unknown field of empty lists', pods, () => filled('{"metadata":{"name":"x"},"x":[', '[]', ']}')),
    post('empty arguments', pods, () => filled(`${podOf}{"args":[`, '""', ']}]}}')),
    post('many ports', pods, () => filled(`${podOf}{"ports":[`, '{"containerPort":1}', ']}]}}')),
    post('90,000 empty finalizers', maps, () => filled('{"metadata":{"name":"x","finalizers":[', '""', ']}}', 90_000)),
    post('one key, again and again', maps, () => filled('{"metadata":{"name":"x"},"data":{', '"a":""', '}}')),
    post('90,000 keys', maps, () => `{"metadata":{"name":"many"},"data":{${keys(90_000)}}}`),
    post('a value of 1 MB', maps, () => `{"metadata":{"name":"large"},"data":{"a":"${'x'.repeat(1e6)}"}}`),
    post('escaped characters', maps, () => `{"metadata":{"name":"odd"},"data":{"a":"${'\\u0001'.repeat(230_000)}"}}`),
    { ...post('YAML of 20,000 keys', maps, () => yamlKeys(20_000)), type: 'application/yaml' },
  ];
}

function patches(pods: string, maps: string): LargeRequest[] {
  const applied = (): string => `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"applied"},"data":{${keys(50_000)}}}`;
  const operations = (): string => {
    return `[${Array.from({ length: 10_000 }, (_, at) => `{"op":"add","path":"/data/k${at}","value":""}`).join(',')}]`;
  };
  const path = `${maps}/applied?fieldManager=bench&force=true`;
  return [
    patch('apply', '50,000 keys', path, applied),
    patch('apply', 'the same again', path, applied),
    patch('merge', '50,000 other keys', `${maps}/applied`, () => `{"data":{${keys(50_000, 'o')}}}`),
    patch('strategic-merge', 'one container again and again', `${pods}/pod-00000001`, () =>
      filled('{"spec":{"containers":[', '{"name":"main"}', ']}}'),
    ),
    patch('json', '10,000 operations', `${maps}/large`, operations),
  ];
}

function answers(maps: string): LargeRequest[] {
  const pods = '/api/v1/pods';
  const initial = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=5';
  return [
    get('90,000 keys as YAML', `${maps}/many`, 'application/yaml'),
    get('all pods', pods),
    get('all pods with a field', `${pods}?fieldSelector=status.phase%3DRunning`),
    get('no pod, by a label', `${pods}?labelSelector=a%3Db`),
    get('all pods as a table', pods, table),
    get('3,000 pods as YAML', `${pods}?limit=3000`, 'application/yaml'),
    get('all pods as protobuf', pods, protobuf),
    get('watch from the beginning', `${pods}?watch=1&${initial}`),
  ];
}

function rules(): LargeRequest[] {
  const rule = (_: unknown, at: number): string => `{"apiGroups":[""],"resources":["r${at}"],"verbs":["get"]}`;
  const group = '"apiGroup":"rbac.authorization.k8s.io"';
  const binding = `"roleRef":{${group},"kind":"ClusterRole","name":"wide"},"subjects":[{${group},"kind":"Group","name":"system:authenticated"}]`;
  return [
    post('a role of 10,000 rules', `${rbac}/clusterroles`, () => {
      return `{"metadata":{"name":"wide"},"rules":[${Array.from({ length: 10_000 }, rule).join(',')}]}`;
    }),
    post('its binding', `${rbac}/clusterrolebindings`, () => `{"metadata":{"name":"wide"},${binding}}`),
    post('which rules there are', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', () => '{"spec":{"namespace":"default"}}'),
  ];
}

function remove(pods: string): LargeRequest {
  return { name: 'DELETE, all pods', method: 'DELETE', path: `${pods}?gracePeriodSeconds=0` };
}

function get(name: string, path: string, accept = 'application/json'): LargeRequest {
  return { name: `GET, ${name}`, method: 'GET', path, accept };
}

function post(name: string, path: string, body: () => string): LargeRequest {
  return { name: `POST, ${name}`, method: 'POST', path, body, type: 'application/json' };
}

function patch(kind: 'apply' | 'merge' | 'strategic-merge' | 'json', name: string, path: string, body: () => string): LargeRequest {
  const type = kind === 'apply' ? 'application/apply-patch+yaml' : `application/${kind}-patch+json`;
  return { name: `${kind} patch, ${name}`, method: 'PATCH', path, body, type };
}

/** As many items as fit into a body, or `most`. */
function filled(head: string, item: string, tail: string, most = Infinity): string {
  const count = Math.min(most, Math.floor((bodyBytes - head.length - tail.length) / (item.length + 1)));
  return head + `${item},`.repeat(count).slice(0, -1) + tail;
}

function keys(count: number, prefix = 'k'): string {
  return Array.from({ length: count }, (_, at) => `"${prefix}${at}":""`).join(',');
}

function yamlKeys(count: number): string {
  return `metadata: {name: yaml}\ndata:\n${Array.from({ length: count }, (_, at) => `  k${at}: ''\n`).join('')}`;
}
