import type { Service } from '#api/core/service/service.ts';

/** The API server's own Service: every container gets its variables, whatever namespace it lives in. */
const masterService = { namespace: 'default', name: 'kubernetes' };

/**
 * The services whose variables a container in `namespace` gets: the API server's always, those of the namespace with
 * `enableServiceLinks`. Headless and ExternalName services have none.
 */
export function linkedServices(services: readonly Service[], namespace: string, enableServiceLinks: boolean): readonly Service[] {
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const { name = '', namespace: at } = service.metadata;
    const clusterIp = service.spec?.clusterIP ?? '';
    if (clusterIp === '' || clusterIp === 'None' || service.spec?.type === 'ExternalName') continue;
    const isMaster = at === masterService.namespace && name === masterService.name;
    if (at === namespace && (enableServiceLinks || isMaster)) chosen.set(name, service);
    else if (isMaster && !chosen.has(name)) chosen.set(name, service);
  }
  return [...chosen.values()].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
}

/** Docker-links variables of services (pkg/kubelet/envvars): FOO_SERVICE_HOST, FOO_SERVICE_PORT, FOO_PORT_80_TCP, … */
export function serviceVariables(services: readonly Service[]): readonly (readonly [name: string, value: string])[] {
  return services.flatMap((service) => {
    const ports = service.spec?.ports ?? [];
    const first = ports[0];
    if (first === undefined) return [];
    const prefix = variableName(service.metadata.name ?? '');
    const host = service.spec?.clusterIP ?? '';
    const hostText = host.includes(':') ? `[${host}]` : host;
    const url = (port: { port: number; protocol?: string }): string =>
      `${(port.protocol ?? 'TCP').toLowerCase()}://${hostText}:${port.port}`;
    const pairs: [string, string][] = [
      [`${prefix}_SERVICE_HOST`, host],
      [`${prefix}_SERVICE_PORT`, String(first.port)],
    ];
    for (const port of ports) {
      if (port.name !== undefined && port.name !== '') pairs.push([`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(port.port)]);
    }
    pairs.push([`${prefix}_PORT`, url(first)]);
    for (const port of ports) {
      const link = `${prefix}_PORT_${port.port}_${(port.protocol ?? 'TCP').toUpperCase()}`;
      pairs.push(
        [link, url(port)],
        [`${link}_PROTO`, (port.protocol ?? 'TCP').toLowerCase()],
        [`${link}_PORT`, String(port.port)],
        [`${link}_ADDR`, host],
      );
    }
    return pairs;
  });
}

function variableName(name: string): string {
  return name.replaceAll('-', '_').toUpperCase();
}
