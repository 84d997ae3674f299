import { type Duplex, duplexPair } from 'node:stream';
import { RuntimeError, type SandboxSpec, type SandboxStatus, type SandboxSummary } from '../contract.ts';

/** One simulated pod's place: an address and the ports that its programs listen on. */
export class SimulatedSandbox {
  readonly id: string;
  readonly spec: SandboxSpec;
  readonly ip: string;
  readonly #createdAtMs: number;
  readonly #ports = new Map<number, { containerId: string; answer: (connection: Duplex) => void }>();
  #isRunning = true;

  constructor(id: string, spec: SandboxSpec, ip: string, createdAtMs: number) {
    this.id = id;
    this.spec = spec;
    this.ip = ip;
    this.#createdAtMs = createdAtMs;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  stop(): void {
    this.#isRunning = false;
  }

  listen(port: number, containerId: string, answer: (connection: Duplex) => void): void {
    this.#ports.set(port, { containerId, answer });
  }

  stopListening(containerId: string): void {
    for (const [port, listener] of this.#ports) if (listener.containerId === containerId) this.#ports.delete(port);
  }

  connect(port: number): Duplex {
    const listener = this.#ports.get(port);
    if (listener === undefined) {
      throw new RuntimeError('Network', `failed to connect to localhost:${port} inside the pod: connect ECONNREFUSED 127.0.0.1:${port}`);
    }
    const [ours, theirs] = duplexPair();
    listener.answer(theirs);
    return ours;
  }

  summary(): SandboxSummary {
    const { pod, attempt, labels = {}, annotations = {} } = this.spec;
    const createdAtMs = this.#createdAtMs;
    return { id: this.id, pod, attempt, state: this.#isRunning ? 'ready' : 'notReady', createdAtMs, labels, annotations };
  }

  status(): SandboxStatus {
    const hostNetwork = this.spec.hostNetwork ?? false;
    const ips = this.#isRunning && !hostNetwork ? [this.ip] : [];
    return { ...this.summary(), pid: undefined, netnsPath: undefined, hostNetwork, ips };
  }
}
