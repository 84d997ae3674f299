import { describe, expect, it } from 'vitest';
import { masqueradeTable } from '../host-rules.ts';
import { addressesOf, chooseFile, neededPlugins, ownChain, parseChain, pluginInput } from './config.ts';

const chain = ownChain({ podCidrs: ['10.244.0.0/24'], leaseFolder: '/l' });
const mapping = { protocol: 'TCP', containerPort: 80, hostPort: 8_080 } as const;

describe('the own chain', () => {
  it('leaves portmap out when there is nothing to map', () => {
    expect(neededPlugins(chain, []).map(({ type }) => type)).toEqual(['bridge']);
    expect(neededPlugins(chain, [mapping]).map(({ type }) => type)).toEqual(['bridge', 'portmap']);
  });

  it('never leaves anything out of somebody else’s chain', () => {
    expect(neededPlugins({ ...chain, name: 'theirs' }, [])).toHaveLength(2);
  });

  it('hands ports and the result before to the plugins that want them', () => {
    const [bridge, portmap] = chain.plugins;
    expect(bridge && pluginInput(chain, bridge, [mapping], undefined)).toMatchObject({
      name: 'coxswain',
      cniVersion: '0.4.0',
      hairpinMode: true,
    });
    expect(bridge && pluginInput(chain, bridge, [mapping], undefined)).not.toHaveProperty('runtimeConfig');
    expect(portmap && pluginInput(chain, portmap, [mapping], { ips: [] })).toMatchObject({
      prevResult: { ips: [] },
      runtimeConfig: { portMappings: [{ hostPort: 8_080, containerPort: 80, protocol: 'tcp' }] },
    });
  });
});

describe('configuration files', () => {
  it.each<[readonly string[], string | undefined]>([
    [[], undefined],
    [['README', '.swp'], undefined],
    [['20-b.conflist', '10-a.conf'], '10-a.conf'],
    [['87-podman-bridge.conflist'], undefined],
  ])('%j', (names, wanted) => {
    expect(chooseFile(names)).toBe(wanted);
  });

  it('are lists or single plugins', () => {
    expect(parseChain('{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"a"}]}')).toMatchObject({ name: 'n', plugins: [{ type: 'a' }] });
    expect(parseChain('{"name":"n","type":"a","x":1}').plugins).toMatchObject([{ type: 'a', x: 1 }]);
  });

  it.each(['[]', '{}', '{"name":"n"}', '{"name":"n","plugins":[]}', '{"name":"n","plugins":[{}]}', 'x'])('are refused: %s', (text) => {
    expect(() => parseChain(text)).toThrow();
  });
});

describe('addressesOf', () => {
  it.each<[string, unknown, readonly string[]]>([
    ['new results', { ips: [{ address: '10.0.0.2/24' }, { address: 'fd00::2/64' }] }, ['10.0.0.2', 'fd00::2']],
    ['old results', { ip4: { ip: '10.0.0.2/24' } }, ['10.0.0.2']],
    ['no result', undefined, []],
  ])('%s', (_, result, wanted) => {
    expect(addressesOf(result)).toEqual(wanted);
  });
});

describe('masqueradeTable', () => {
  it('masquerades what leaves the pod network, each family by itself', () => {
    const text = masqueradeTable(['10.244.0.0/16', 'fd00:1::/64']);
    expect(text).toContain('ip saddr 10.244.0.0/16 ip daddr != { 10.244.0.0/16, 224.0.0.0/4 } masquerade');
    expect(text).toContain('ip6 saddr fd00:1::/64 ip6 daddr != { fd00:1::/64, ff00::/8 } masquerade');
  });
});
