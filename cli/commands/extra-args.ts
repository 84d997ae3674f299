import type { Flag } from '#base/flags.ts';

/** Further flags of components, by their names. */
type ExtraArgs = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Components that take flags of their own. */
const components = ['kube-apiserver', 'kube-scheduler', 'kube-controller-manager', 'kubelet', 'kube-proxy', 'coxswain-dns'];

/** `--extra-arg=COMPONENT:FLAG=VALUE`, once for each; an empty one leaves none. */
export function extraArgFlag(help: string): Flag<ExtraArgs> {
  return {
    help,
    default: {},
    valueName: 'component:flag=value',
    parse: (text, previous = {}) => {
      if (text === '') return {};
      const [, component = '', flag = '', value = ''] = /^([^:]+):(?:--)?([a-z][a-z0-9-]*)=(.*)$/s.exec(text) ?? [];
      if (flag === '') throw new Error('must be of the form component:flag=value');
      if (!components.includes(component)) throw new Error(`there is no component ${JSON.stringify(component)}: ${components.join(', ')}`);
      return { ...previous, [component]: { ...previous[component], [flag]: value } };
    },
  };
}
