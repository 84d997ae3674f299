// kubectl's verbs that make and change objects by flags instead of manifests, each client against an API server of its own.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { V1Deployment, V1Job, V1RoleBinding, V2HorizontalPodAutoscaler } from '#api/generated/types.ts';
import { allKubectls } from '#test/testbed/kubectl.ts';
import { BareServer } from './bare-server.ts';
import { samples } from './samples.ts';

const clients = allKubectls();

describe.each(clients.map((kubectl) => [kubectl.version, kubectl] as const))('kubectl %s', (version, kubectl) => {
  const minor = Number(version.split('.')[1]);
  let bare: BareServer;
  const run = (args: string | readonly string[]): Promise<string> => bare.kubectl(args);
  const get = async <T>(args: string): Promise<T> => JSON.parse(await run(`get ${args} -o json`)) as T;
  const image = '--image=coxswain/hello:1';
  beforeAll(async () => {
    bare = await BareServer.start(kubectl);
    await run('create serviceaccount default');
  });
  afterAll(async () => bare?.[Symbol.asyncDispose]());

  test('create, by every generator that this kubectl has', async () => {
    const { cert, key } = aCertificate(bare);
    const since: readonly [minor: number, args: string, made: string][] = [
      [0, 'namespace other', 'namespace/other'],
      [0, 'configmap colours --from-literal=a=red', 'configmap/colours'],
      [0, 'secret generic plain --from-literal=a=b', 'secret/plain'],
      [0, 'secret docker-registry pull --docker-server=r.example.com --docker-username=u --docker-password=p', 'secret/pull'],
      [0, `secret tls pair --cert=${cert} --key=${key}`, 'secret/pair'],
      [0, 'serviceaccount robot', 'serviceaccount/robot'],
      [0, `deployment web ${image} --replicas=2 --port=80`, 'deployment.apps/web'],
      [0, 'service clusterip web --tcp=80:8080', 'service/web'],
      [0, 'service nodeport outside --tcp=80:8080', 'service/outside'],
      [0, 'service loadbalancer balanced --tcp=80:8080', 'service/balanced'],
      [0, 'service externalname elsewhere --external-name=example.com', 'service/elsewhere'],
      [0, `job once ${image} -- true`, 'job.batch/once'],
      [21, `cronjob often ${image} --schedule=*/5\u00a0*\u00a0*\u00a0*\u00a0* -- true`, 'cronjob.batch/often'],
      [21, 'poddisruptionbudget careful --selector=app=web --min-available=1', 'poddisruptionbudget.policy/careful'],
      [0, 'priorityclass urgent --value=1000 --description=urgent', 'priorityclass.scheduling.k8s.io/urgent'],
      [0, 'quota little --hard=pods=50,services=20', 'resourcequota/little'],
      [0, 'role reader --verb=get,list --resource=pods,deployments.apps', 'role.rbac.authorization.k8s.io/reader'],
      [0, 'clusterrole scaler --verb=update --resource=deployments/scale', 'clusterrole.rbac.authorization.k8s.io/scaler'],
      [0, 'rolebinding read --role=reader --serviceaccount=default:robot', 'rolebinding.rbac.authorization.k8s.io/read'],
      [0, 'clusterrolebinding scale --clusterrole=scaler --user=ann', 'clusterrolebinding.rbac.authorization.k8s.io/scale'],
      [20, 'ingress front --rule=example.com/*=web:80', 'ingress.networking.k8s.io/front'],
    ];
    for (const [first, args, made] of since) {
      if (minor < first) continue;
      expect(await run(['create', ...args.split(' ').map((word) => word.replaceAll('\u00a0', ' '))])).toBe(`${made} created\n`);
    }
    if (minor >= 21) {
      expect(await run('create job from-cron --from=cronjob/often')).toBe('job.batch/from-cron created\n');
      expect((await get<V1Job>('job from-cron')).metadata?.ownerReferences?.[0]?.kind).toBe('CronJob');
    }
    if (minor >= 24) expect(await run('create token robot --duration=20m')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n?$/);
  });

  test('run, expose, autoscale and scale', async () => {
    expect(await run(`run alone ${image} --port=80 --env=A=b --labels=app=alone`)).toBe('pod/alone created\n');
    expect(await run('expose pod alone --port=80 --name=alone')).toBe('service/alone exposed\n');
    expect(await run('expose deployment web --port=81 --name=web-more --type=NodePort')).toBe('service/web-more exposed\n');
    expect(await run('autoscale deployment web --min=1 --max=4 --cpu-percent=50')).toContain(
      'horizontalpodautoscaler.autoscaling/web autoscaled',
    );
    const scaler = await get<V2HorizontalPodAutoscaler>('horizontalpodautoscalers.v2.autoscaling web');
    expect(scaler.spec).toMatchObject({ minReplicas: 1, maxReplicas: 4, metrics: [{ resource: { target: { averageUtilization: 50 } } }] });
    expect(await run('get hpa web')).toMatch(/^NAME +REFERENCE +TARGETS +MINPODS +MAXPODS +REPLICAS +AGE\nweb +Deployment\/web /);
    expect(await run('scale deployment web --replicas=3')).toBe('deployment.apps/web scaled\n');
    await bare.kubectl(
      `create -f ${bare.file('sets.json', { apiVersion: 'v1', kind: 'List', items: samples.filter(({ kind }) => ['StatefulSet', 'ReplicaSet', 'ReplicationController'].includes(kind)) })}`,
    );
    for (const name of ['statefulset', 'replicaset', 'replicationcontroller']) {
      expect(await run(`scale ${name} sample --replicas=4`)).toMatch(/ scaled\n$/);
      expect(await run(`get ${name} sample -o jsonpath={.spec.replicas}`)).toBe('4');
    }
  });

  test('set: image, environment, resources, selector, service account, subject', async () => {
    await run('set image deployment/web hello=coxswain/hello:2');
    await run('set env deployment/web COLOUR=red');
    await run('set resources deployment/web --requests=cpu=10m --limits=cpu=100m,memory=64Mi');
    await run('set serviceaccount deployment web robot');
    const { spec } = await get<V1Deployment>('deployment web');
    expect(spec?.template.spec).toMatchObject({
      serviceAccountName: 'robot',
      containers: [
        {
          image: 'coxswain/hello:2',
          env: [{ name: 'COLOUR', value: 'red' }],
          resources: { requests: { cpu: '10m' }, limits: { cpu: '100m', memory: '64Mi' } },
        },
      ],
    });
    await run('set selector service web app=changed');
    expect(await run('get service web -o jsonpath={.spec.selector.app}')).toBe('changed');
    await run('set subject rolebinding read --user=eve');
    expect((await get<V1RoleBinding>('rolebinding read')).subjects?.map(({ name }) => name)).toEqual(['robot', 'eve']);
  });

  test('rollout of what nobody acts on: pause, resume, restart, history', async () => {
    expect(await run('rollout pause deployment/web')).toBe('deployment.apps/web paused\n');
    expect(await run('rollout resume deployment/web')).toBe('deployment.apps/web resumed\n');
    for (const kind of ['deployment/web', 'statefulset/sample']) expect(await run(`rollout restart ${kind}`)).toMatch(/ restarted\n$/);
    expect(await run('rollout history statefulset/sample')).toContain('statefulset.apps/sample');
    expect(await run('rollout history deployment/web')).toContain('deployment.apps/web');
  });

  test('nodes: taint, cordon, uncordon, drain', async () => {
    await run(`create -f ${bare.file('node.json', samples.find(({ kind }) => kind === 'Node') ?? {})}`);
    expect(await run('taint node sample-node kind=special:NoExecute')).toBe('node/sample-node tainted\n');
    expect(await run('taint node sample-node kind-')).toBe('node/sample-node untainted\n');
    expect(await run('cordon sample-node')).toBe('node/sample-node cordoned\n');
    expect(await run('uncordon sample-node')).toBe('node/sample-node uncordoned\n');
    expect(await run('drain sample-node --ignore-daemonsets')).toContain(minor >= 22 ? 'node/sample-node drained' : 'node/sample-node');
    expect(await run('describe node sample-node')).toMatch(/Unschedulable: +true/);
  });

  test('rights: can-i, its list, who am I, reconcile', async () => {
    expect(await run('auth can-i create deployments.apps')).toBe('yes\n');
    expect(await run('auth can-i --list')).toMatch(/^Resources +Non-Resource URLs +Resource Names +Verbs\n\*\.\* +\[\] +\[\] +\[\*\]/);
    if (minor >= 28) expect(await run('auth whoami')).toMatch(/Username +kubernetes-admin/);
    // Reconcile puts nothing into the namespace of the context: the file has to say.
    const roles = samples
      .filter(({ kind }) => kind.includes('Role'))
      .map((role) => (role.kind.startsWith('Cluster') ? role : { ...role, metadata: { ...role.metadata, namespace: 'default' } }));
    const file = bare.file('roles.json', { apiVersion: 'v1', kind: 'List', items: roles });
    expect(await run(`auth reconcile -f ${file}`)).toContain('role.rbac.authorization.k8s.io/sample reconciled');
  });

  test('certificates: approve and deny', async () => {
    const request = samples.find(({ kind }) => kind === 'CertificateSigningRequest');
    for (const [name, verb, condition] of [
      ['wanted', 'approve', 'Approved'],
      ['unwanted', 'deny', 'Denied'],
    ] as const) {
      await run(`create -f ${bare.file(`${name}.json`, { ...request, metadata: { name } })}`);
      expect(await run(`get csr ${name}`)).toMatch(/Pending/);
      const by = minor < 19 ? 'certificatesigningrequest' : 'certificatesigningrequest.certificates.k8s.io';
      expect(await run(`certificate ${verb} ${name}`)).toMatch(new RegExp(`^${by}/${name} ${verb === 'deny' ? 'denied' : 'approved'}`));
      expect(await run(`get csr ${name} -o jsonpath={.status.conditions[*].type}`)).toBe(condition);
    }
  });

  test('wait, for deletion and for a value', async () => {
    expect(await run('delete configmap colours --wait=false')).toContain('"colours" deleted');
    // What is gone already was an error to the oldest.
    expect((await bare.tryKubectl('wait configmap/colours --for=delete --timeout=10s')).stderr).toBe(
      minor < 21 ? 'error: no matching resources found\n' : '',
    );
    if (minor >= 23) {
      expect(await run('wait deployment/web --for=jsonpath={.spec.replicas}=3 --timeout=10s')).toBe('deployment.apps/web condition met\n');
    }
    const { code, stderr } = await bare.tryKubectl('wait pod/alone --for=condition=Ready --timeout=1s');
    expect(code).toBe(1);
    expect(stderr).toContain('timed out waiting for the condition');
  });

  test('replace --force makes a pod anew', async () => {
    const uid = (): Promise<string> => run('get pod alone -o jsonpath={.metadata.uid}');
    const before = await uid();
    const manifest = bare.file('alone.json', await run('get pod alone -o json'));
    // It could not be changed otherwise, and what the server had put into it is taken as it is.
    expect(await run(`replace --force -f ${manifest}`)).toMatch(/^pod "alone" deleted( from default namespace)?\npod\/alone replaced\n$/);
    expect(await uid()).not.toBe(before);
  });

  test('completion asks the server', async () => {
    expect(await run('completion bash')).toContain('complete -o default');
    /** What a shell would offer; behind it kubectl says how to go on. */
    const offered = async (...words: string[]): Promise<string[]> => {
      const lines = (await run(['__complete', ...words])).trimEnd().split('\n');
      expect(lines.pop()).toMatch(/^:\d+$/);
      return lines.map((line) => line.split('\t')[0] ?? '');
    };
    // The oldest leaves names to a function of the shell, which runs `kubectl get -o template`.
    if (minor < 21) {
      expect(await offered('des')).toEqual(['describe']);
      return;
    }
    expect(await offered('get', 'deploymen')).toEqual(['deployments.apps']);
    expect(await offered('get', 'pods', 'alo')).toEqual(['alone']);
    expect(await offered('describe', 'serviceaccounts', '-n', 'default', '')).toEqual(expect.arrayContaining(['default', 'robot']));
    expect(await offered('get', 'pods', '-n', 'kube-sys')).toEqual(['kube-system']);
    expect(await offered('logs', 'alone', '')).toEqual(['alone']);
  });

  test('raw requests, versions and cluster-info', async () => {
    expect(JSON.parse(await run('get --raw /version'))).toMatchObject({ major: '1', minor: '36' });
    expect(await run('get --raw /readyz')).toBe('ok');
    expect(await run('cluster-info')).toContain(bare.server.url);
    expect(await run('get componentstatuses -o name').catch((error: unknown) => String(error))).not.toContain('exit code');
  });
});

/** A pair of PEM files for `create secret tls`: the administrator's own. */
function aCertificate(bare: BareServer): { cert: string; key: string } {
  const { credentials } = bare.server.adminClientConfig;
  if (credentials.kind !== 'certificate') throw new Error('the administrator comes with a certificate');
  return { cert: bare.file('tls.crt', credentials.cert), key: bare.file('tls.key', credentials.key) };
}
