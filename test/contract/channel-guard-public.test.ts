/** Public hosts pass: with a connector that stands still, so that nobody on the internet is asked. */
import type { LookupFunction } from 'node:net';
import { beforeEach, expect, test, vi } from 'vitest';
import { createGuard } from '../../channels/address-guard.js';

const sockets: { remoteAddress: string; destroyed: boolean }[] = [];
let peer: string | undefined;

vi.mock('undici', async (original) => ({
  ...(await original<object>()),
  buildConnector:
    ({ lookup }: { lookup: LookupFunction }) =>
    (target: { hostname: string }, callback: (error: Error | null, socket: unknown) => void) => {
      lookup(target.hostname, { all: true }, (error, found) => {
        if (error !== null) {
          callback(error, null);
          return;
        }
        const [first] = found as { address: string }[];
        const socket = {
          remoteAddress: peer ?? first?.address ?? '',
          destroyed: false,
          destroy: () => (socket.destroyed = true),
        };
        sockets.push(socket);
        callback(null, socket);
      });
    },
}));

beforeEach(() => {
  sockets.length = 0;
  peer = undefined;
});

const connect = (addresses: readonly string[], hostname = 'hooks.example', port = '') => {
  let lookups = 0;
  const guard = createGuard({
    lookup: (_host, _options, callback) => {
      lookups += 1;
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    },
  });
  return new Promise<{ code: string; lookups: number }>((resolve) => {
    guard.connect({ hostname, protocol: 'https:', port }, (...[error, socket]) => {
      const code = error === null ? socket.remoteAddress : Reflect.get(error, 'code');
      resolve({ code: String(code), lookups });
    });
  });
};

test.each([
  [['93.184.215.14'], ''],
  [['2606:4700::6810:1', '104.16.0.1'], '443'],
  [['104.16.0.1', '104.16.0.2'], '8443'],
])('a name that leads to %j is connected to, after one resolution', async (addresses, port) => {
  expect(await connect(addresses, 'hooks.example', port)).toEqual({
    code: addresses[0],
    lookups: 1,
  });
});

test.each([
  ['one of many is private', ['93.184.215.14', '10.0.0.1']],
  ['the second is this machine', ['93.184.215.14', '::1']],
  ['it is NAT64 of a public one', ['64:ff9b::808:808']],
])('a name is refused where %s', async (_name, addresses) => {
  expect(await connect(addresses)).toEqual({ code: 'ERR_KAVACH_REFUSED_ADDRESS', lookups: 1 });
  expect(sockets).toHaveLength(0);
});

test('a connection whose peer is not public is dropped before anything is sent', async () => {
  peer = '127.0.0.1';
  expect(await connect(['93.184.215.14'])).toMatchObject({ code: 'ERR_KAVACH_REFUSED_ADDRESS' });
  expect(sockets).toEqual([expect.objectContaining({ destroyed: true })]);
});
