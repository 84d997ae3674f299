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
    ['a path is no beginning of a word', 'reg.io/teams/a', [secret({ 'reg.io/team': me })], []],
    ['the most particular first', 'reg.io/team/a', [secret({ 'reg.io': me }), secret({ 'reg.io/team': me })], ['reg.io/team', 'reg.io']],
    ['any host of a domain', 'eu.reg.io/a', [secret({ '*.reg.io': me })], ['*.reg.io']],
    ['but not deeper ones', 'a.eu.reg.io/a', [secret({ '*.reg.io': me })], []],
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
