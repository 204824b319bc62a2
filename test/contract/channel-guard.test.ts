/** A corpus of addresses that must never be reached, against a real server on the loopback one. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createGuard, isPublic, OPERATORS_OWN, type Guard } from '../../channels/address-guard.js';
import { readAllowList } from '../../channels/allow-list.js';
import { post } from '../../channels/http.js';
import { createWebhookChannel } from '../../channels/webhook.js';
import { firingView } from './channel-views.js';
import { FORBIDDEN_HOSTS, forbiddenAddresses } from './guard-corpus.js';

const LOOPBACK = '127.0.0.1';
/** Stands for an address that may be reached: also this machine, but not the forbidden server. */
const ALLOWED = '127.0.0.2';

interface Counted {
  readonly server: Server;
  connections: number;
  requests: number;
  /** Where it sends its callers, with this status. */
  redirect?: { readonly status: number; readonly location: string };
}

async function listen(address: string, port: number): Promise<Counted> {
  const counted: Counted = { connections: 0, requests: 0, server: createServer() };
  counted.server
    .on('connection', () => (counted.connections += 1))
    .on('request', (request, response) => {
      counted.requests += 1;
      const { status = 200, location } = counted.redirect ?? {};
      request.resume();
      response.writeHead(status, location === undefined ? {} : { location }).end('{}');
    });
  await new Promise<void>((resolve, reject) => {
    counted.server.once('error', reject).listen(port, address, resolve);
  });
  return counted;
}

let forbidden: Counted;
let allowed: Counted;
let port: number;
beforeAll(async () => {
  forbidden = await listen(LOOPBACK, 0);
  port = (forbidden.server.address() as AddressInfo).port;
  allowed = await listen(ALLOWED, port);
});
afterEach(() => {
  for (const counted of [forbidden, allowed]) {
    counted.connections = 0;
    counted.requests = 0;
    delete counted.redirect;
  }
});
afterAll(() => {
  forbidden.server.close();
  allowed.server.close();
});

/** Answers with these addresses, one list a call; the last one for ever. Counts its calls. */
function resolver(...answers: readonly (readonly string[])[]) {
  const asked: string[] = [];
  const lookup: LookupFunction = (host, options, callback) => {
    const found = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(host);
    const all = found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (options.all === true) callback(null, all);
    else callback(null, all[0]?.address ?? '', all[0]?.family ?? 4);
  };
  return { lookup, asked };
}

const allow = (text: string) => readAllowList(text).rules;

const deliver = (guard: Guard, address: string) => {
  const channel = createWebhookChannel({ guard });
  return channel.deliver({
    message: channel.render(firingView()),
    destination: { address, secrets: ['canary'] },
    idempotencyKey: 'k',
    now: 0,
    timeoutMs: 5_000,
  });
};

describe('the corpus', () => {
  /** Every name leads to this machine, and its port is one of the usual ones. */
  const guard = () => createGuard({ lookup: resolver([LOOPBACK]).lookup, ports: [port] });

  test('has at least 80 forms, each once', () => {
    const forms = [...FORBIDDEN_HOSTS, ...forbiddenAddresses(1)];
    expect(forms.length).toBeGreaterThanOrEqual(80);
    expect(new Set(forms).size).toBe(forms.length);
  });

  test.each(FORBIDDEN_HOSTS)('the host %s is refused for what it is', async (host) => {
    const outcome = await deliver(guard(), `https://${host}:${port}/`);
    expect(outcome.kind).toBe('permanent_config');
    expect(outcome.reason).toMatch(/not on the public internet/);
    expect([forbidden.connections, allowed.connections]).toEqual([0, 0]);
  });

  test.each(forbiddenAddresses(0).map((form, i) => [form.replaceAll(':0', ':PORT'), i] as const))(
    'the address %j is refused',
    async (_shown, index) => {
      const address = forbiddenAddresses(port)[index] ?? '';
      const outcome = await deliver(guard(), address);
      expect(outcome.kind).toBe('permanent_config');
      expect(outcome.reason).not.toMatch(/127|::|localhost|canary|:\/\//);
      expect([forbidden.connections, allowed.connections]).toEqual([0, 0]);
    },
  );

  test.each(FORBIDDEN_HOSTS.filter((host) => URL.canParse(`http://${host}`)))(
    'the connection itself refuses %s, whoever forgot to look at the URL',
    async (host) => {
      const url = new URL(`https://${host}:${port}/`);
      const result = await post({ url, headers: {}, body: '', timeoutMs: 5_000, guard: guard() });
      expect(result).toEqual({ kind: 'denied', sent: false });
      expect(forbidden.connections).toBe(0);
    },
  );

  test.each(['127.0.0.1', '127.1', '2130706433', '0x7f.1', '0177.1', '127%2e1', '１２７.1'])(
    'without a guard %s does reach the server: the corpus can fail',
    async (host) => {
      const url = new URL(`http://${host}:${port}/`);
      const guard = OPERATORS_OWN;
      const result = await post({ url, headers: {}, body: '', timeoutMs: 5_000, guard });
      expect(result).toMatchObject({ kind: 'answer', status: 200 });
      expect(forbidden.requests).toBe(1);
    },
  );
});

describe('names that lead elsewhere', () => {
  const address = () => `http://rebind.example:${port}/`;
  const guardWith = (lookup: LookupFunction) =>
    createGuard({ lookup, allow: allow(`${ALLOWED}:*`) });

  test('a name is resolved once, and what was looked at is what is connected to', async () => {
    const { lookup, asked } = resolver([ALLOWED], [LOOPBACK]);
    const guard = guardWith(lookup);
    expect(await deliver(guard, address())).toMatchObject({ kind: 'accepted' });
    expect(asked).toEqual(['rebind.example']);
    expect([allowed.requests, forbidden.connections]).toEqual([1, 0]);
    expect(await deliver(guard, address())).toMatchObject({ kind: 'permanent_config' });
    expect(forbidden.connections).toBe(0);
  });

  test.each([
    ['the allowed one first', [ALLOWED, LOOPBACK]],
    ['the forbidden one first', [LOOPBACK, ALLOWED]],
    ['a mapped one', [ALLOWED, '::ffff:127.0.0.1']],
    ['one with a zone', [ALLOWED, 'fe80::1%lo']],
    ['a public one over http', ['1.1.1.1']],
    ['none at all', []],
  ])('answers with %s are refused whole', async (_name, addresses) => {
    const outcome = await deliver(guardWith(resolver(addresses).lookup), address());
    expect(outcome).toMatchObject({ kind: 'permanent_config' });
    expect([allowed.connections, forbidden.connections]).toEqual([0, 0]);
  });

  test('nothing is sent to a peer other than the one that was looked at', async () => {
    let reads = 0;
    const shifty = {
      family: 4,
      get address() {
        reads += 1;
        return reads === 1 ? ALLOWED : LOOPBACK;
      },
    };
    const guard = guardWith((_host, _options, callback) => {
      callback(null, [shifty]);
    });
    expect(await deliver(guard, address())).toMatchObject({ kind: 'permanent_config' });
    expect([forbidden.connections, forbidden.requests]).toEqual([1, 0]);
  });

  test('a name that does not exist stays a fault that passes', async () => {
    const guard = guardWith((_host, _options, callback) => {
      callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    });
    expect(await deliver(guard, address())).toMatchObject({
      kind: 'transient',
      reason: 'host name not found, nothing was sent',
    });
  });

  test.each([301, 302, 303, 307, 308])('a %i to this machine is not followed', async (status) => {
    allowed.redirect = { status, location: `http://${LOOPBACK}:${port}/` };
    const outcome = await deliver(guardWith(resolver([ALLOWED]).lookup), address());
    expect(outcome).toMatchObject({ kind: 'permanent_config', status });
    expect([allowed.requests, forbidden.connections]).toEqual([1, 0]);
  });
});

describe('what may be reached', () => {
  test.each([
    ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.1', '100.63.255.255', '100.128.0.1'],
    ...['172.15.0.1', '172.32.0.1', '169.253.1.1', '192.167.1.1', '198.17.0.1', '223.255.255.254'],
    ...['2606:4700:4700::1111', '2001:4860:4860::8888', '2a00:1450:4001::1'],
  ])('%s is public', (address) => {
    expect(isPublic(address)).toBe(true);
  });

  test.each(['', 'nonsense', '1.1.1.1/32', '::ffff:1.1.1.1', '127.1'])('%j is not', (address) => {
    expect(isPublic(address)).toBe(false);
  });

  test.each([
    ['https://hooks.example/x', undefined],
    ['https://hooks.example:8443/x', undefined],
    ['https://1.1.1.1/x', undefined],
    ['https://[2606:4700::1]/x', undefined],
    ['https://hooks.example:8080/x', 'port other than'],
    ['https://1.1.1.1:22/x', 'port other than'],
    ['http://hooks.example/x', 'not https'],
    ['http://1.1.1.1/x', 'not https'],
    ['http://hooks.example:443/x', 'not https'],
    ['http://1.1.1.1:8443/x', 'not https'],
  ])('%s', (address, refusal) => {
    const reason = createGuard().refuse(new URL(address));
    if (refusal === undefined) expect(reason).toBeUndefined();
    else expect(reason).toContain(refusal);
  });

  test('in-house targets on the allow-list are delivered to, over http and on any port', async () => {
    const { lookup } = resolver([ALLOWED]);
    const forms: readonly (readonly [string, string])[] = [
      [`${ALLOWED}:*`, ALLOWED],
      [`${ALLOWED}:${port}`, ALLOWED],
      [`127.0.0.2/31:*`, '127.2'],
      [`*.corp.example:${port}`, 'a.b.Corp.example'],
      [`hooks.internal:${port}`, 'hooks.internal.'],
      [`10.0.0.0/8, bücher.example:*`, 'xn--bcher-kva.example'],
      [`127.0.0.2/32:${port}`, 'by-its-address.example'],
    ];
    for (const [list, host] of forms) {
      const guard = createGuard({ lookup, allow: allow(list) });
      const outcome = await deliver(guard, `http://${host}:${port}/`);
      expect(outcome, list).toMatchObject({ kind: 'accepted' });
    }
    expect([allowed.requests, forbidden.connections]).toEqual([forms.length, 0]);
  });

  test.each([
    ['another port', '127.0.0.1:1', '127.0.0.1'],
    ['the usual ports only', '127.0.0.1', '127.0.0.1'],
    ['another network', '10.0.0.0/8:*', '127.0.0.1'],
    ['the name above', '*.corp.example:*', 'corp.example'],
    ['a name that only ends alike', '*.corp.example:*', 'evilcorp.example'],
    ['a name that goes on', 'hooks.internal:*', 'hooks.internal.evil.example'],
    ['its mapped form', '127.0.0.1:*', '[::ffff:127.0.0.1]'],
  ])('an allow-list with %s lets nothing more through', async (_name, list, host) => {
    const guard = createGuard({ lookup: resolver([LOOPBACK]).lookup, allow: allow(list) });
    const outcome = await deliver(guard, `http://${host}:${port}/`);
    expect(outcome).toMatchObject({ kind: 'permanent_config' });
    expect(forbidden.connections).toBe(0);
  });
});
