import type { V1Service } from '#api/generated/types.ts';
import type { AdmissionPlugin } from '../registry/contract.ts';
import { concerns, refusal } from './refusal.ts';

/** Services may keep the external addresses that they have, but take no new ones: they could take others' traffic. */
export const denyServiceExternalIps: AdmissionPlugin = {
  name: 'DenyServiceExternalIPs',
  validate: (request) => {
    if (!concerns(request, 'services') || (request.operation !== 'CREATE' && request.operation !== 'UPDATE')) return;
    const known = (request.previous as V1Service | undefined)?.spec?.externalIPs ?? [];
    const wanted = (request.object as V1Service).spec?.externalIPs ?? [];
    if (wanted.some((address) => !known.includes(address))) {
      throw refusal(request, 'Use of external IPs is denied by admission control.');
    }
  },
};
