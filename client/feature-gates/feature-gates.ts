// `--feature-gates` of every component. Features are not switched here: what is built is there, whatever its stage. So the names, the values and
// the locks are checked as upstream does, and a setting without effect is logged when the process starts.
import { type Flag, gatesFlag } from '#base/flags.ts';
import type { Log } from '#base/log.ts';
import { SampledFamily } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';
import { gateGroups, gateNeeds, type GateStage } from './known.ts';

interface Gate {
  readonly stage: GateStage;
  readonly isOn: boolean;
  readonly isLocked: boolean;
}

const known: ReadonlyMap<string, Gate> = new Map(
  gateGroups.flatMap(({ names, ...gate }) => names.map((name): [string, Gate] => [name, gate])),
);
/** Gates that stand for all of their stage. */
const ofStage: Readonly<Record<string, GateStage>> = { AllAlpha: 'ALPHA', AllBeta: 'BETA' };

type Given = Readonly<Record<string, string>>;

/** Names of gates without the prefix of Kubernetes' own (`kube:A=true`) that components of the control plane take, too. */
export function featureGatesFlag({ takesPrefix = false }: { takesPrefix?: boolean } = {}): Flag<Given> {
  const flag = gatesFlag('Features to switch on or off: known names are checked, but features are not switched here');
  return {
    ...flag,
    parse: (text, previous) => {
      const read = flag.parse(text, undefined);
      const given = { ...previous, ...(takesPrefix ? withoutPrefix(read) : read) };
      const problems = gateProblems(given);
      if (problems.length > 0) throw new Error(problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`);
      return given;
    },
  };
}

function withoutPrefix(given: Given): Given {
  const names = Object.keys(given).map((name) => name.split(':'));
  const stranger = names.find((parts) => parts.length > 1 && parts[0] !== 'kube' && parts[0] !== '');
  if (stranger !== undefined) throw new Error(`component not registered: ${stranger[0]}`);
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name.slice(name.indexOf(':') + 1), value]));
}

/** What is wrong with gates that are to be set, in upstream's words. */
export function gateProblems(given: Given): string[] {
  const stranger = Object.keys(given).find((name) => !known.has(name));
  if (stranger !== undefined) return [`unrecognized feature gate: ${stranger}`];
  const locked = Object.entries(given).flatMap(([name, text]) => {
    const gate = known.get(name);
    return gate?.isLocked === true && gate.isOn !== isTrue(text)
      ? [`cannot set feature gate ${name} to ${isTrue(text)}, feature is locked to ${gate.isOn}`]
      : [];
  });
  if (locked.length > 0) return locked;
  return Object.entries(gateNeeds).flatMap(([name, needs]) => {
    const missing = isWanted(name, given) ? needs.filter((need) => !isWanted(need, given)) : [];
    return missing.length === 0 ? [] : [`${name} is enabled, but depends on features that are disabled: [${missing.join(' ')}]`];
  });
}

function isWanted(name: string, given: Given): boolean {
  const gate = known.get(name);
  const all = Object.entries(ofStage).find(([, stage]) => stage === gate?.stage);
  const text = given[name] ?? (all === undefined ? undefined : given[all[0]]);
  return text === undefined ? gate?.isOn === true : isTrue(text);
}

/** Logs which settings of `--feature-gates` (the text of the flag) have no effect, and exports every gate as a metric. */
export function reportFeatureGates(text: string, { metrics, log }: { metrics: Metrics; log: Log }): void {
  const given = gatesFlag('').parse(text, undefined);
  for (const [featureGate, value] of Object.entries(given)) {
    const gate = known.get(featureGate);
    if (gate === undefined) continue;
    if (gate.stage === '' || gate.stage === 'DEPRECATED')
      log.warn(
        { featureGate, value },
        `setting ${gate.stage === '' ? 'GA' : 'deprecated'} feature gate. It will be removed in a future release`,
      );
    if (isTrue(value) !== gate.isOn) log.warn({ featureGate, value }, 'feature gate changes nothing: features are not switched here');
  }
  const samples = [...known].map(([name, { stage, isOn }]) => [[name, stage], isOn ? 1 : 0] as const);
  const help = '[BETA] This metric records the data about the stage and enablement of a k8s feature.';
  metrics.add(new SampledFamily('kubernetes_feature_enabled', help, ['name', 'stage'], 'gauge', () => samples));
}

function isTrue(text: string): boolean {
  return /^(1|t|true)$/i.test(text);
}
