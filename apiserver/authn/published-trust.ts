import type { Authorities } from './methods.ts';

/** What the ConfigMap `extension-apiserver-authentication` says, by upstream's keys; lists are JSON. */
export function publishedTrust({ clientCa, frontProxy }: Authorities): Record<string, string> {
  return {
    ...(clientCa === undefined ? {} : { 'client-ca-file': clientCa }),
    ...(frontProxy === undefined
      ? {}
      : {
          'requestheader-allowed-names': JSON.stringify(frontProxy.allowedNames),
          'requestheader-client-ca-file': frontProxy.ca,
          'requestheader-extra-headers-prefix': JSON.stringify(frontProxy.extraHeaderPrefixes),
          'requestheader-group-headers': JSON.stringify(frontProxy.groupHeaders),
          'requestheader-uid-headers': JSON.stringify(frontProxy.uidHeaders),
          'requestheader-username-headers': JSON.stringify(frontProxy.usernameHeaders),
        }),
  };
}
