import { createHash } from 'node:crypto';
import { UsageError } from '#base/lifecycle.ts';
import type { UserInfo } from '../registry/contract.ts';
import { withAuthenticatedGroup } from './authenticator.ts';
import { type TokenVerifier, unknownToken } from './bearer-tokens.ts';

/** Users by the lines of `--token-auth-file`: `token,user,uid,"group1,group2"`. */
export function staticTokens(users: ReadonlyMap<string, UserInfo>): TokenVerifier {
  // By hash, so that how long a look-up takes says nothing about the tokens.
  const byHash = new Map([...users].map(([token, user]) => [hashOf(token), withAuthenticatedGroup(user)]));
  return {
    verify: (token) => {
      const user = byHash.get(hashOf(token));
      return user === undefined ? unknownToken : { kind: 'user', user };
    },
  };
}

/** Reads such a file. Throws UsageError where a line cannot be used. */
export function readStaticTokens(text: string): Map<string, UserInfo> {
  const users = new Map<string, UserInfo>();
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const fields = readFields(line);
    const [token = '', name = '', uid = '', groups = ''] = fields;
    if (fields.length < 3) {
      throw new UsageError(`token file line ${at + 1} must have at least 3 columns (token, user name, user uid), found ${fields.length}`, {
        exitCode: 1,
      });
    }
    if (token === '') throw new UsageError(`token file line ${at + 1} has no token`, { exitCode: 1 });
    users.set(token, {
      name,
      ...(uid === '' ? {} : { uid }),
      groups: groups
        .split(',')
        .map((group) => group.trim())
        .filter((group) => group !== ''),
    });
  }
  return users;
}

/** The fields of one line of comma-separated values; quotes keep commas, and double quotes in them stand for one. */
function readFields(line: string): string[] {
  const fields = [''];
  let isQuoted = false;
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    const last = fields.length - 1;
    if (isQuoted && char === '"' && line.charAt(at + 1) === '"') {
      fields[last] += char;
      at++;
    } else if (char === '"') {
      isQuoted = !isQuoted;
    } else if (char === ',' && !isQuoted) {
      fields.push('');
    } else {
      fields[last] += char;
    }
  }
  return fields.map((field) => field.trim());
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
