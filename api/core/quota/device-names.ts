// How quotas name devices: by their class as claims ask for them, and as the amounts that containers ask for.
import { isNativeResource } from '../resource-names.ts';

const classPrefix = 'deviceclass.resource.kubernetes.io/';
const classSuffix = '.deviceclass.resource.k8s.io/devices';
const requests = 'requests.';

/** `gpus.deviceclass.resource.k8s.io/devices`. */
export function devicesOfClass(className: string): string {
  return `${className}${classSuffix}`;
}

/** What every class's devices can be asked for as by containers. */
export function impliedResource(className: string): string {
  return `${classPrefix}${className}`;
}

export function requestOf(resource: string): string {
  return `${requests}${resource}`;
}

/** Devices of a class that containers ask for like for amounts. */
export function isDevices(name: string): boolean {
  return name.startsWith(classPrefix);
}

export function isDevicesOfClass(name: string): boolean {
  return name.endsWith(classSuffix);
}

/** Requests of what is not Kubernetes' own, or of devices by their class: plugins and drivers may both serve them. */
export function isRequestOfDevices(name: string): boolean {
  return name.startsWith(requests) && (isDevices(name.slice(requests.length)) || !isNativeResource(name));
}
