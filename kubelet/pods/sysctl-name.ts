/**
 * A sysctl's name with dots between its parts, whichever separator the pod uses; where it uses slashes, dots are part of a name
 * (`net/ipv4/conf/eth0.1/forwarding`). (component-helpers/node/util/sysctl)
 */
export function sysctlName(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  return first === '/' ? name.replace(/[./]/g, (one) => (one === '/' ? '.' : '/')) : name;
}
