// Requests that could hold up everybody else: as large as a body may be, and answers of everything there is.

const bodyBytes = 3 * 1_024 * 1_024 - 1_024;
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const protobuf = 'application/vnd.kubernetes.protobuf';
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const podOf = '{"metadata":{"name":"x"},"spec":{"containers":[';

export interface LargeRequest {
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: () => string;
  readonly type?: string;
  readonly accept?: string;
}

/** In an order in which later ones find what earlier ones made. `namespace`: the path of one with many pods. */
export function largeRequests(namespace: string): readonly LargeRequest[] {
  const [pods, maps] = [`${namespace}/pods`, `${namespace}/configmaps`];
  return [
    ...posts(pods, maps),
    ...patches(pods, maps),
    ...answers(maps),
    ...rules(),
    remove('90,000 keys', `${maps}/many`),
    remove('all maps', maps),
    remove('all pods', pods),
  ];
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
    post('120,000 keys', maps, () => `{"metadata":{"name":"most"},"data":{${keys(120_000)}}}`),
    post('90,000 labels', maps, () => `{"metadata":{"name":"labels","labels":{${keys(90_000)}}}}`),
    post('500,000 arguments', pods, () =>
      filled('{"metadata":{"name":"args"},"spec":{"containers":[{"name":"a","image":"b","args":[', '""', ']}]}}', 450_000),
    ),
    post(
      '9,000 variables',
      pods,
      () =>
        `{"metadata":{"name":"variables"},"spec":{"containers":[{"name":"a","image":"b","env":[${list(9_000, (at) => `{"name":"E${at}","value":"1"}`)}]}]}}`,
    ),
    post(
      '5,000 containers',
      pods,
      () => `{"metadata":{"name":"containers"},"spec":{"containers":[${list(5_000, (at) => `{"name":"c${at}","image":"b"}`)}]}}`,
    ),
    post('20,000 ports, all the same', pods, () =>
      filled(
        `{"metadata":{"name":"ports"},"spec":{"containers":[{"name":"a","image":"b","ports":[`,
        '{"containerPort":1}',
        ']}]}}',
        20_000,
      ),
    ),
    post(
      '15,000 tolerations',
      pods,
      () =>
        `{"metadata":{"name":"tolerations"},"spec":{"containers":[{"name":"a","image":"b"}],"tolerations":[${list(15_000, (at) => `{"key":"k${at}","operator":"Exists"}`)}]}}`,
    ),
    post(
      '8,000 owners',
      maps,
      () =>
        `{"metadata":{"name":"owners","ownerReferences":[${list(8_000, (at) => `{"apiVersion":"v1","kind":"ConfigMap","name":"n","uid":"u${at}"}`)}]}}`,
    ),
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
    put('the same 90,000 keys', `${maps}/many`, () => `{"metadata":{"name":"many"},"data":{${keys(90_000)}}}`),
    put('90,000 other keys', `${maps}/many`, () => `{"metadata":{"name":"many"},"data":{${keys(90_000, 'o')}}}`),
    patch('merge', 'one key of 90,000', `${maps}/many`, () => '{"data":{"one":"1"}}'),
    patch(
      'apply',
      'one label beside 90,000 keys',
      `${maps}/many?fieldManager=one`,
      () => '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"many","labels":{"a":"b"}}}',
    ),
    patch('merge', 'a label of a pod of 9,000 variables', `${pods}/variables`, () => '{"metadata":{"labels":{"a":"b"}}}'),
    patch('merge', 'status of a pod of 9,000 variables', `${pods}/variables/status`, () => '{"status":{"message":"b"}}'),
    patch('json', '10,000 operations', `${maps}/large`, operations),
  ];
}

function answers(maps: string): LargeRequest[] {
  const pods = '/api/v1/pods';
  const initial = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=5';
  return [
    get('90,000 keys', `${maps}/many`),
    get('90,000 keys as YAML', `${maps}/many`, 'application/yaml'),
    get('90,000 keys, indented', `${maps}/many?pretty=1`),
    get('90,000 keys as protobuf', `${maps}/many`, protobuf),
    get('90,000 keys as a table', `${maps}/many`, table),
    get('all maps', maps),
    get('all maps as YAML', maps, 'application/yaml'),
    get('all maps as protobuf', maps, protobuf),
    get('all maps as a table', maps, table),
    get('watch of all maps as protobuf', `${maps}?watch=1&timeoutSeconds=2`, `${protobuf};stream=watch`),
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

function remove(what: string, path: string): LargeRequest {
  return { name: `DELETE, ${what}`, method: 'DELETE', path: `${path}?gracePeriodSeconds=0` };
}

function get(name: string, path: string, accept = 'application/json'): LargeRequest {
  return { name: `GET, ${name}`, method: 'GET', path, accept };
}

function post(name: string, path: string, body: () => string): LargeRequest {
  return { name: `POST, ${name}`, method: 'POST', path, body, type: 'application/json' };
}

function put(name: string, path: string, body: () => string): LargeRequest {
  return { name: `PUT, ${name}`, method: 'PUT', path, body, type: 'application/json' };
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

function list(count: number, item: (at: number) => string): string {
  return Array.from({ length: count }, (_, at) => item(at)).join(',');
}

function keys(count: number, prefix = 'k'): string {
  return Array.from({ length: count }, (_, at) => `"${prefix}${at}":""`).join(',');
}

function yamlKeys(count: number): string {
  return `metadata: {name: yaml}\ndata:\n${Array.from({ length: count }, (_, at) => `  k${at}: ''\n`).join('')}`;
}
