/** Push at the gateway: tickets, sockets, what they are told and what they say (gateway/push/). */
import { connect } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { PushPolicy } from '../../gateway/push/policy.js';
import { bearer, realLedger } from './gateway-real-kit.js';
import { openPush } from './push-kit.js';

const real = realLedger();
let people = 0;

/** A gateway with push, and a person of its own. */
async function stage(policy: Partial<PushPolicy> = {}) {
  people += 1;
  const person = `ada-${String(people)}`;
  const told: string[] = [];
  const away = { is: false };
  const confirm = (_alert: string, delivery: string): Promise<void> => {
    if (away.is) return Promise.reject(new Error('away'));
    told.push(delivery);
    return Promise.resolve();
  };
  const key = await real.key({ scopes: ['operate'] });
  await real.ledger().putRecipient({ org: 'default', id: person }, { by: 'jo', now: Date.now() });
  const start = async (more: Partial<PushPolicy> = {}) => {
    const push = { ledger: real.ledger(), confirm, policy: { beatMs: 100, ...policy, ...more } };
    return real.start({ push, now: Date.now });
  };
  const { gateway, request, lines } = await start();
  const ticket = async (user_id = person): Promise<string> => {
    const answer = await request(
      'POST',
      '/v1/push/tickets',
      JSON.stringify({ user_id }),
      bearer(key),
    );
    expect(answer.status).toBe(201);
    return String(answer.body['path']);
  };
  const open = async (at = gateway) => openPush(at.url, await ticket());
  const offer = (id: string, body: object = {}) => {
    const ref = {
      ...{ org: 'default', alertId: `alert/${id}`, deliveryId: `alert/${id}/0` },
      ...({ purpose: 'fire', channel: 'push', recipient: person } as const),
    };
    const frame = JSON.stringify({ type: 'notification', id, ...body });
    return real.ledger().offerPush({ ref, recipient: person, id, body: frame }, Date.now());
  };
  return { person, told, away, key, start, gateway, request, lines, ticket, open, offer };
}

const soon = { timeout: 10_000, interval: 10 };

describe('the way in', () => {
  test('a ticket is for one socket; without a good one it is a problem over HTTP', async () => {
    const { gateway, ticket, request, lines } = await stage();
    const path = await ticket();
    const client = await openPush(gateway.url, path);
    await expect
      .poll(() => client.of('hello'), soon)
      .toEqual([{ type: 'hello', missed: 0, left_out: 0 }]);
    for (const bad of [
      path,
      '/v1/push?ticket=nobody-knows-this-ticket',
      '/v1/push',
      '/v1/push?ticket=%00',
    ]) {
      await expect(openPush(gateway.url, bad)).rejects.toThrow('HTTP 401');
    }
    await expect(openPush(gateway.url, '/v1/else')).rejects.toThrow('HTTP 404');
    await expect(openPush(gateway.url, '//')).rejects.toThrow('HTTP 404');
    const plain = await request('GET', '/v1/push');
    expect(plain.status).toBe(426);
    expect(JSON.stringify(lines)).not.toContain(path.split('=')[1]);
  });

  test('tickets are for keys that may operate, and name somebody', async () => {
    const { request } = await stage();
    const reader = await real.key({ scopes: ['read', 'ingest'] });
    const body = JSON.stringify({ user_id: 'ada' });
    expect((await request('POST', '/v1/push/tickets', body, bearer(reader))).status).toBe(403);
    const key = await real.key({ scopes: ['operate'] });
    const nobody = await request('POST', '/v1/push/tickets', '{"user_id":""}', bearer(key));
    expect(nobody).toMatchObject({ status: 422, body: { path: 'user_id' } });
    const unknown = await request(
      ...(['POST', '/v1/push/tickets', '{"user_id":"mistyped"}', bearer(key)] as const),
    );
    expect(unknown.status).toBe(404);
    expect(unknown.body['detail']).toContain('PUT /v1/recipients/{id} adds one');
  });

  test('a person has so many devices, a gateway so many sockets', async () => {
    const one = await stage({ devices: 1 });
    await one.open();
    await expect(one.open()).rejects.toThrow('HTTP 429');
    const full = await stage({ maxSockets: 1 });
    const first = await full.open();
    await expect(full.open()).rejects.toThrow('HTTP 503');
    first.socket.close();
    await expect
      .poll(
        () =>
          full.open().then(
            () => 'in',
            () => 'out',
          ),
        soon,
      )
      .toBe('in');
  });

  test('an upgrade to anything else is a request as any other, body and all', async () => {
    const { gateway, key, person } = await stage();
    const body = JSON.stringify({ user_id: person });
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(
      [
        ...['POST /v1/push/tickets HTTP/1.1', 'host: x', `authorization: Bearer ${key}`],
        ...['connection: Upgrade, HTTP2-Settings', 'upgrade: h2c', 'http2-settings: AAMAAABk'],
        ...['content-type: application/json', `content-length: ${String(body.length)}`, '', ''],
      ].join('\r\n'),
    );
    await delay(20);
    socket.write(body);
    let said = '';
    socket.on('data', (chunk) => (said += chunk.toString()));
    await expect.poll(() => said, soon).toContain('"ticket"');
    expect(said).toMatch(/^HTTP\/1\.1 201/);
    // And the connection serves the next one.
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    await once(socket, 'end');
    expect(said).toContain('HTTP/1.1 200');
  });
});

describe('what comes', () => {
  test('an alert goes to every device of the person, on every gateway, and to nobody else', async () => {
    const { open, offer, start } = await stage();
    const second = await start();
    const here = await open();
    const there = await open(second.gateway);
    const stranger = await (await stage()).open();
    for (const client of [here, there])
      await expect.poll(() => client.of('hello'), soon).toHaveLength(1);
    expect(await offer('everywhere', { title: 'ä' })).toMatchObject({ type: 'offered' });
    const alert = { type: 'notification', id: 'everywhere', title: 'ä' };
    for (const client of [here, there])
      await expect.poll(() => client.of('notification'), soon).toEqual([alert]);
    expect(stranger.of('notification')).toEqual([]);
  });

  test('who was away gets what was missed, oldest first, once, and what comes meanwhile after it', async () => {
    const { open, offer } = await stage({ missed: 3 });
    for (const id of ['a', 'b', 'c', 'd']) {
      expect(await offer(`missed-${id}`)).toMatchObject({ type: 'sent' });
      await delay(2);
    }
    const opening = open();
    const offering = Array.from({ length: 20 }, (_, i) => offer(`live-${String(i)}`));
    const client = await opening;
    await Promise.all(offering);
    await offer('last');
    await expect.poll(() => client.of('notification').map(({ id }) => id), soon).toContain('last');
    const ids = client.of('notification').map(({ id }) => id ?? '');
    expect(new Set(ids).size).toBe(ids.length);
    const [hello] = client.frames;
    expect(hello?.['type']).toBe('hello');
    const { missed, left_out } = hello as unknown as { missed: number; left_out: number };
    expect(missed).toBe(3);
    // All of them are there, or were named as left out.
    expect(ids.length + left_out).toBe(25);
  });

  test('what was taken is not missed by the next connection', async () => {
    const { open, offer } = await stage();
    const first = await open();
    await offer('taken');
    await expect.poll(() => first.of('notification'), soon).toHaveLength(1);
    first.ack('taken');
    await expect.poll(() => first.of('acknowledged'), soon).toHaveLength(1);
    const second = await open();
    await expect.poll(() => second.of('hello'), soon).toMatchObject([{ missed: 0 }]);
    expect(second.of('notification')).toEqual([]);
  });

  test('a gateway that nobody was connected to for a while goes on where it is', async () => {
    const { open, offer } = await stage();
    const first = await open();
    await expect.poll(() => first.of('hello'), soon).toHaveLength(1);
    first.socket.close();
    await first.closed;
    await expect.poll(async () => (await offer('between')).type, soon).toBe('sent');
    const second = await open();
    await expect.poll(() => second.of('notification'), soon).toHaveLength(1);
    await offer('after');
    await expect
      .poll(() => second.of('notification').map(({ id }) => id), soon)
      .toEqual(['between', 'after']);
  });
});

describe('what is said', () => {
  test('one acknowledgement is stored, told to its alert once, and to all devices', async () => {
    const { open, offer, told, start } = await stage();
    const second = await start();
    const clients = [await open(), await open(second.gateway)];
    await offer('shared');
    for (const client of clients)
      await expect.poll(() => client.of('notification'), soon).toHaveLength(1);
    for (const client of clients) client.ack('shared');
    for (const client of clients) {
      await expect
        .poll(() => client.of('acknowledged'), soon)
        .toEqual([{ type: 'acknowledged', id: 'shared' }]);
    }
    expect(told).toEqual(['alert/shared/0']);
    const left = { now: Date.now() + 60_000, limit: 100, leaseMs: 1 };
    await expect.poll(() => real.ledger().claimPushConfirmations(left), soon).toEqual([]);
  });

  test('PH-2: while Temporal is away it is kept for the relay', async () => {
    const { open, offer, away } = await stage();
    away.is = true;
    const client = await open();
    await offer('later');
    client.ack('later');
    await expect.poll(() => client.of('acknowledged'), soon).toHaveLength(1);
    const due = { now: Date.now() + 60_000, limit: 100, leaseMs: 1 };
    const claimed = await real.ledger().claimPushConfirmations(due);
    expect(claimed.map(({ id }) => id)).toContain('later');
    for (const each of claimed) await real.ledger().pushConfirmed(each);
  });

  test('nobody acknowledges what is another’s', async () => {
    const { open, offer, told } = await stage();
    const stranger = await (await stage()).open();
    const client = await open();
    await offer('mine');
    stranger.ack('mine');
    stranger.ack('nothing');
    client.ack('mine');
    await expect.poll(() => client.of('acknowledged'), soon).toHaveLength(1);
    expect(stranger.of('acknowledged')).toEqual([]);
    expect(told).toEqual(['alert/mine/0']);
  });

  test.each([
    ['no JSON', 'hello', 1008],
    ['no object', '[1]', 1008],
    ['an id that is none', '{"type":"ack","id":7}', 1008],
    ['bytes', Buffer.from('{"type":"ack","id":"x"}'), 1003],
    ['too much', `{"type":"ack","id":"${'x'.repeat(5_000)}"}`, 1009],
  ])('%s ends the connection', async (_what, frame, code) => {
    const { open } = await stage();
    const client = await open();
    client.socket.send(frame);
    expect((await client.closed).code).toBe(code);
  });

  test('a word of a later version is left alone; too many a second are not', async () => {
    const { open, offer } = await stage({ frames: 5 });
    const client = await open();
    client.socket.send('{"type":"later"}');
    await offer('still');
    await expect.poll(() => client.of('notification'), soon).toHaveLength(1);
    for (let i = 0; i < 10; i += 1) client.socket.send('{"type":"later"}');
    expect((await client.closed).code).toBe(1008);
  });
});

describe('who is there', () => {
  test('a client that does not answer is dropped after two pings, one that answers stays', async () => {
    const { open, lines } = await stage({ pingMs: 500 });
    const deaf = await open();
    const alive = await open();
    deaf.socket.pong = () => undefined;
    (deaf.socket as unknown as { _autoPong: boolean })._autoPong = false;
    expect((await deaf.closed).code).toBe(1006);
    expect(alive.socket.readyState).toBe(alive.socket.OPEN);
    await expect.poll(() => alive.of('alive').length, soon).toBeGreaterThan(1);
    expect(lines).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ why: 'silent' }) as object }),
    );
  });

  test('PC-2: one that stops reading is dropped at its limit, and the others go on', async () => {
    const { open, offer, lines } = await stage({ bufferBytes: 64 * 1024 });
    const stuck = await open();
    const reading = await open();
    await expect.poll(() => stuck.of('hello'), soon).toHaveLength(1);
    stuck.socket.pause();
    const text = 'x'.repeat(32 * 1024);
    const isDropped = () => JSON.stringify(lines).includes('"why":"buffer"');
    let sent = 0;
    for (; sent < 500 && !isDropped(); sent += 1) {
      await offer(`big-${String(sent)}`, { text });
      await expect.poll(() => reading.of('notification'), soon).toHaveLength(sent + 1);
    }
    expect(isDropped()).toBe(true);
    await offer('and-on');
    await expect.poll(() => reading.of('notification'), soon).toHaveLength(sent + 1);
  }, 120_000);

  test('after its time a client has to come again', async () => {
    const { open } = await stage({ maxAgeMs: 10 });
    expect((await (await open()).closed).code).toBe(1012);
  });

  test('PH-3: a gateway that ends says so, and its person is connected no more', async () => {
    const { open, offer, gateway } = await stage();
    const client = await open();
    await expect.poll(async () => (await offer('before')).type, soon).toBe('offered');
    client.ack('before');
    const stopping = gateway.stop();
    expect(await client.closed).toEqual({ code: 1012, reason: 'come again' });
    await stopping;
    expect(await offer('after')).toMatchObject({ type: 'sent' });
  });

  test('PH-3: also where a client never answers', async () => {
    const { open, gateway } = await stage();
    const client = await open();
    client.socket.pause();
    await gateway.stop();
    client.socket.resume();
    await client.closed;
  });

  test('PU-2: a gateway that was forgotten puts its sockets again', async () => {
    const { open, offer } = await stage();
    const client = await open();
    await expect.poll(() => client.of('hello'), soon).toHaveLength(1);
    await real.sql('delete from push_session');
    await real.sql('delete from push_gateway');
    await expect.poll(async () => (await offer('again')).type, soon).toBe('offered');
    await expect.poll(() => client.of('notification').length, soon).toBeGreaterThan(0);
  });
});
