// The pod that the benchmarks send: about 2 KB as posted, about 5.9 KB once the server has added defaults, status and ownership.

/** A pod's JSON with room for a name of fixed length, so that no request has to build it anew. */
export class PodTemplate {
  readonly #bytes: Buffer;
  readonly #nameAt: number;

  constructor(pod: object) {
    const text = JSON.stringify(pod);
    this.#nameAt = Buffer.byteLength(text.slice(0, text.indexOf(nameMark)));
    this.#bytes = Buffer.from(text);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Copies the body to `at` of `target`, under the name that belongs to `number`. */
  write(number: number, target: Buffer, at: number): void {
    this.#bytes.copy(target, at);
    target.write(podName(number), at + this.#nameAt, 'latin1');
  }
}

const nameMark = 'pod-00000000';

export function podName(number: number): string {
  return `pod-${String(number).padStart(8, '0')}`;
}

/** How much a watch event of such a pod takes. */
export const eventBytes = 6_000;
const variables = 17;

export function benchPod(): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: nameMark,
      labels: { app: 'bench', 'pod-template-hash': '6d4cf56db6', tier: 'backend', release: 'stable' },
      annotations: { 'bench.example.com/description': 'A pod that a benchmark made; nobody needs to run it. '.repeat(3).trim() },
    },
    spec: {
      containers: [container()],
      tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'bench', effect: 'NoSchedule' }],
      volumes: [{ name: 'scratch', emptyDir: {} }],
    },
  };
}

/** A pod of 2 KB once it is stored. */
export function smallestPod(): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: nameMark }, spec: { containers: [{ name: 'main', image: 'application' }] } };
}

function container(): object {
  return {
    name: 'main',
    image: 'registry.example.com/team/application:1.2.3',
    command: ['/usr/bin/application', '--listen=:8080', '--log-level=info'],
    ports: [{ name: 'http', containerPort: 8_080, protocol: 'TCP' }],
    env: Array.from({ length: variables }, (_, number) => ({ name: `SETTING_NUMBER_${number}`, value: `the value of setting ${number}` })),
    resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
    volumeMounts: [{ name: 'scratch', mountPath: '/var/scratch' }],
    livenessProbe: { httpGet: { path: '/healthz', port: 8_080 }, periodSeconds: 10 },
  };
}
