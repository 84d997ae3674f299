import { describe, expect, it } from 'vitest';
import { credentialsFor, type PullSecret } from './credentials.ts';
import { parseReference } from './reference.ts';

function secret(auths: object): PullSecret {
  const text = JSON.stringify({ auths });
  return { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': Buffer.from(text).toString('base64') } };
}

const me = { username: 'me', password: 'pw' };

describe('credentialsFor', () => {
  it.each<[string, string, readonly PullSecret[], readonly string[]]>([
    ['the same registry', 'reg.io/a', [secret({ 'reg.io': me })], ['reg.io']],
    ['another registry', 'other.io/a', [secret({ 'reg.io': me })], []],
    ['Docker Hub by its old address', 'nginx', [secret({ 'https://index.docker.io/v1/': me })], ['index.docker.io']],
    ['a path that fits', 'reg.io/team/a', [secret({ 'reg.io/team': me, 'reg.io/other': me })], ['reg.io/team']],
    ['a path may end within a word', 'reg.io/teams/a', [secret({ 'reg.io/team': me })], ['reg.io/team']],
    ['behind the version of an API', 'reg.io/team/a', [secret({ 'https://reg.io/v1/team': me })], ['reg.io/team']],
    ['the most particular first', 'reg.io/team/a', [secret({ 'reg.io': me }), secret({ 'reg.io/team': me })], ['reg.io/team', 'reg.io']],
    ['any host of a domain', 'eu.reg.io/a', [secret({ '*.reg.io': me })], ['*.reg.io']],
    ['but not deeper ones', 'a.eu.reg.io/a', [secret({ '*.reg.io': me })], []],
    ['any end of a name', 'a.reg.io/a', [secret({ 'a.reg.*': me })], ['a.reg.*']],
    ['which is none of its port', 'a.reg.io:5000/a', [secret({ 'a.reg.*': me })], []],
    ['but may stand before one', 'a.reg.io:5000/a', [secret({ 'a.reg.*:5000': me })], ['a.reg.*:5000']],
    ['part of a part', 'my-good.reg.io/a', [secret({ '*-good.reg.io': me, 'k*.reg.io': me })], ['*-good.reg.io']],
    ['names before patterns', 'a.reg.io/x', [secret({ '*.reg.io/x': me, 'a.reg.io': me })], ['a.reg.io', '*.reg.io/x']],
    ['ports count', 'reg.io:5000/a', [secret({ 'reg.io': me })], []],
    ['unreadable secrets', 'reg.io/a', [{ type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': '!' } }], []],
  ])('%s', (_, image, secrets, wanted) => {
    expect(credentialsFor(parseReference(image), secrets).map(({ credentials }) => credentials.serverAddress)).toEqual(wanted);
  });

  it('reads name and password out of auth', () => {
    const auth = Buffer.from('me:p:w').toString('base64');
    expect(credentialsFor(parseReference('reg.io/a'), [secret({ 'reg.io': { auth } })]).map(({ credentials }) => credentials)).toEqual([
      { serverAddress: 'reg.io', username: 'me', password: 'p:w' },
    ]);
  });
});
