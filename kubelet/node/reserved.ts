// What of a machine is not for pods: --system-reserved and --kube-reserved.
import { cpuMillis, isQuantity, quantityBytes, quantityValue, signOfQuantity } from '#api/meta/quantity.ts';
import { UsageError } from '#base/lifecycle.ts';

type Amounts = Readonly<Record<string, string>>;

export interface Reserved {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly processes: number;
  /** The same as it was said. */
  readonly said: { readonly systemReserved: Amounts; readonly kubeReserved: Amounts };
}

/** The sum of both. Throws UsageError, in upstream's words, for what cannot be kept from pods. */
export function readReserved(system: Amounts, kube: Amounts): Reserved {
  refuseOthers('system-reserved', system);
  refuseOthers('kube-reserved', kube);
  const sum = (name: string, count: (text: string | undefined) => number): number => count(system[name]) + count(kube[name]);
  return {
    cpuMillis: sum('cpu', cpuMillis),
    memoryBytes: sum('memory', quantityBytes),
    diskBytes: sum('ephemeral-storage', quantityBytes),
    processes: sum('pid', (text = '0') => quantityValue(text)),
    said: { systemReserved: system, kubeReserved: kube },
  };
}

const names = new Set(['cpu', 'memory', 'ephemeral-storage', 'pid']);

function refuseOthers(flag: string, amounts: Amounts): void {
  for (const [name, text] of Object.entries(amounts)) {
    const why = problemOf(name, text);
    if (why !== undefined) throw new UsageError(`--${flag} value failed to parse: ${why}`, { exitCode: 1 });
  }
}

function problemOf(name: string, text: string): string | undefined {
  if (!names.has(name)) return `cannot reserve ${JSON.stringify(name)} resource`;
  if (!isQuantity(text)) return `${JSON.stringify(text)} is no quantity of ${name}`;
  return signOfQuantity(text) < 0 ? `resource quantity for ${JSON.stringify(name)} cannot be negative: ${text}` : undefined;
}
