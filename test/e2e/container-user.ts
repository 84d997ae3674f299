// A user's test program: a cluster by testcontainers, an image into it, a pod of that image, an answer. Started by images.test.ts on a host that
// has the engine; it says what it sees.
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { CoxswainContainer } from '#testing/testcontainers.ts';
import { until } from './cluster.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const namespace = 'default';

// What cannot start says why.
await new CoxswainContainer()
  .withCommand(['up', '--port=nothing'])
  .withStartupTimeout(20_000)
  .start()
  .catch((error: Error) => say(error.message));

await using cluster = await new CoxswainContainer().start();
const config = new KubeConfig();
config.loadFromString(cluster.kubeconfig);
const core = config.makeApiClient(CoreV1Api);
const { items } = await core.listNode();
say(`${items.length} node at ${cluster.apiUrl}, ${(await cluster.diagnose()).length} bytes of logs`);

await Promise.all(['coxswain/hello:1', 'coxswain/busybox:1'].map((image) => cluster.loadImage(image)));
const container = { name: 'hello', image: 'coxswain/hello:1', imagePullPolicy: 'Never' };
await core.createNamespacedPod({ namespace, body: { metadata: { name: 'hello' }, spec: { containers: [container] } } });
await until('the pod runs', async () => (await core.readNamespacedPod({ namespace, name: 'hello' })).status?.phase === 'Running');
const answer = await until('the pod answers', () =>
  core.connectGetNamespacedPodProxyWithPath({ namespace, name: 'hello:8080', path: '/' }),
);
say(`hello answered: ${answer.replace(/^Message: /, '')}`);
