import { describe, expect, test } from 'vitest';
import type { Service } from '#api/core/service/service.ts';
import { PortBitmap } from './port-bitmap.ts';
import { planPortRepair } from './port-repair-plan.ts';

const range = { first: 100, last: 200 };

function bitmapOf(...ports: number[]): PortBitmap {
  const bitmap = new PortBitmap(range);
  for (const port of ports) bitmap.take(port);
  return bitmap;
}

type Port = readonly [number, string?];

const aService = (name: string, ports: readonly Port[], healthCheckNodePort = 0): Service =>
  ({
    metadata: { name, namespace: 'default' },
    spec: { type: 'NodePort', healthCheckNodePort, ports: ports.map(([nodePort, protocol = 'TCP']) => ({ port: 1, nodePort, protocol })) },
  }) as Service;

describe('repair of node ports', () => {
  test.each<[string, Service[], PortBitmap | undefined, number[], string[]]>([
    ['all is well', [aService('a', [[111]])], bitmapOf(111), [111], []],
    ['the first look of a new store tells nothing', [aService('a', [[111]])], undefined, [111], []],
    [
      'what is missing is added',
      [aService('a', [[111], [122]], 133)],
      bitmapOf(122),
      [111, 122, 133],
      ['a PortNotAllocated: Port 111 is not allocated; repairing', 'a PortNotAllocated: Port 133 is not allocated; repairing'],
    ],
    [
      'two Services with one port',
      [aService('a', [[111]]), aService('b', [[111]])],
      bitmapOf(111),
      [111],
      ['b PortAlreadyAllocated: Port 111 was assigned to multiple services; please recreate service'],
    ],
    [
      'a port outside',
      [aService('a', [[250]])],
      bitmapOf(),
      [],
      ['a PortOutOfRange: Port 250 is not within the port range 100-200; please recreate service'],
    ],
    [
      'two protocols may share a port',
      [
        aService('a', [
          [111, 'TCP'],
          [111, 'UDP'],
        ]),
      ],
      bitmapOf(111),
      [111],
      [],
    ],
    [
      'one protocol may not have it twice',
      [
        aService('a', [
          [111, 'TCP'],
          [111, 'TCP'],
        ]),
      ],
      bitmapOf(111),
      [111],
      ['a PortAlreadyAllocated: Port 111 was assigned to multiple services; please recreate service'],
    ],
    [
      'health checks are TCP',
      [aService('a', [[111, 'TCP']], 111), aService('b', [[122, 'UDP']], 122)],
      bitmapOf(111, 122),
      [111, 122],
      ['a PortAlreadyAllocated: Port 111 was assigned to multiple services; please recreate service'],
    ],
  ])('%s', (_name, services, stored, ports, troubles) => {
    const plan = planPortRepair(stored, services, range, new Map());
    expect([...plan.bitmap.ports()]).toEqual(ports);
    expect(plan.troubles.map(({ service, reason, note }) => `${service.metadata.name} ${reason}: ${note}`)).toEqual(troubles);
  });

  test('a port that nobody holds is free from the third look on', () => {
    let leaks: ReadonlyMap<number, number> = new Map();
    let bitmap = bitmapOf(111, 122);
    const looks: number[][] = [];
    for (let look = 0; look < 3; look++) {
      const plan = planPortRepair(bitmap, [aService('a', [[122]])], range, leaks);
      ({ leaks, bitmap } = plan);
      looks.push([...bitmap.ports()]);
    }
    expect(looks).toEqual([[111, 122], [111, 122], [122]]);
  });

  test('one that is held again in between starts anew', () => {
    const first = planPortRepair(bitmapOf(111), [], range, new Map());
    const used = planPortRepair(first.bitmap, [aService('a', [[111]])], range, first.leaks);
    expect([first.leaks.get(111), used.leaks.size]).toEqual([1, 0]);
  });
});
