// Which versions this kubeadm may bring a cluster to. It installs what it came with, so only its own minor version is possible.

export interface VersionFacts {
  /** Asked for. */
  readonly target: string;
  /** Of the ConfigMap kubeadm-config. */
  readonly cluster: string;
  /** This program. */
  readonly kubeadm: string;
  readonly kubelets: readonly string[];
}

interface VersionProblems {
  readonly fatal: readonly string[];
  /** Passed over with --force. */
  readonly skippable: readonly string[];
}

type Numbers = readonly [number, number, number];

/** Reasons against the upgrade, in upstream's words (cmd/kubeadm/app/phases/upgrade/policy.go). */
export function versionProblems({ target, cluster, kubeadm, kubelets }: VersionFacts): VersionProblems {
  const [to, from, own] = [numbersOf(target), numbersOf(cluster), numbersOf(kubeadm)];
  if (to === undefined || from === undefined || own === undefined) {
    return { fatal: [`couldn't parse version ${JSON.stringify(to === undefined ? target : cluster)}`], skippable: [] };
  }
  const named = JSON.stringify(target);
  const minors = to[1] - from[1];
  const fatal = [
    ...(minors > 1 ? [`Specified version to upgrade to ${named} is too high; kubeadm can upgrade only 1 minor version at a time`] : []),
    ...(minors < -1 ? [`Specified version to downgrade to ${named} is too low; kubeadm can downgrade only 1 minor version at a time`] : []),
    ...(to[1] < own[1] ? [`Kubeadm version ${kubeadm} can only be used to upgrade to Kubernetes version ${own[0]}.${own[1]}`] : []),
    ...(to[1] > own[1] ? [higherThanKubeadm(named, kubeadm)] : []),
  ];
  const old = kubelets.filter((text) => {
    const found = numbersOf(text);
    return found !== undefined && to[1] - found[1] > 3;
  });
  return {
    fatal,
    skippable: [
      ...(to[1] === own[1] && to[2] > own[2] ? [higherThanKubeadm(named, kubeadm)] : []),
      ...(old.length > 0
        ? [`There are kubelets in this cluster that are too old that have these versions [${[...new Set(old)].join(' ')}]`]
        : []),
    ],
  };
}

function higherThanKubeadm(target: string, kubeadm: string): string {
  return `Specified version to upgrade to ${target} is higher than the kubeadm version ${JSON.stringify(kubeadm)}. Upgrade kubeadm first using the tool you used to install kubeadm`;
}

/** Whether one version is above another; false for texts that are none. */
export function isHigher(text: string, than: string): boolean {
  const [one, other] = [numbersOf(text), numbersOf(than)];
  if (one === undefined || other === undefined) return false;
  const at = one.findIndex((number, index) => number !== other[index]);
  return at >= 0 && (one[at] ?? 0) > (other[at] ?? 0);
}

function numbersOf(text: string): Numbers | undefined {
  const found = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text);
  return found === null ? undefined : [Number(found[1]), Number(found[2]), Number(found[3])];
}
