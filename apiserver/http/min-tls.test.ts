import { once } from 'node:events';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { signCertificate } from '#base/pki.ts';
import { startTestApiServer } from '../testing.ts';

test('clients of an older TLS than wanted do not get in, also after the certificate was renewed', async () => {
  await using server = await startTestApiServer({ minTls: 'TLSv1.3' });
  const talk = async (maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', port: server.port, ca: server.ca.cert, servername: 'localhost', maxVersion });
    try {
      await once(socket, 'secureConnect');
      return socket.getProtocol() ?? '';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? '';
    } finally {
      socket.destroy();
    }
  };
  const expected = ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'TLSv1.3'];
  expect([await talk('TLSv1.2'), await talk('TLSv1.3')]).toEqual(expected);
  const names = { commonName: 'kube-apiserver', dnsNames: ['localhost'], ips: ['127.0.0.1'], usages: ['server'] as const };
  server.renew({
    tls: await signCertificate(server.ca, names, systemClock.nowMs()),
    authentication: { clientCa: server.ca.cert, frontProxy: undefined },
    kubelet: { cert: undefined, key: undefined, ca: undefined, addressTypes: [] },
  });
  expect([await talk('TLSv1.2'), await talk('TLSv1.3')]).toEqual(expected);
});
