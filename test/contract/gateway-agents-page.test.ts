/** Sign-in, the page of the agents, and that only its own forms act (K2). */
import { describe, expect, test } from 'vitest';
import { hashApiKey } from '../../gateway/auth.js';
import type { GatewayOptions } from '../../gateway/options.js';
import { createSessions } from '../../gateway/sessions.js';
import { KEY, NOON, startTestGateway, syncDocument, testKey, usageEvent } from './gateway-kit.js';

const sessions = createSessions('a key of 32 characters or so, long');
const EVIL = `<script>alert("1")</script> & 'x'`;

interface Sent {
  readonly form?: Record<string, string>;
  readonly headers?: Record<string, string>;
  /** What a browser would add; null: none of it. */
  readonly origin?: string | null;
}

async function start(options: Partial<GatewayOptions> = {}) {
  const started = await startTestGateway({ sessions, ...options });
  const { url } = started.gateway;
  const ask = async (path: string, { form, headers = {}, origin = url }: Sent = {}) => {
    const response = await fetch(url + path, {
      redirect: 'manual',
      headers: { ...(form && origin !== null ? { origin } : {}), ...headers },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    });
    const text = (await response.text()).replace(/\s+/g, ' ');
    return { status: response.status, headers: response.headers, text };
  };
  const signIn = async (key = KEY) => {
    const { headers } = await ask('/login', { form: { key } });
    const cookie = headers.get('set-cookie')?.split(';')[0] ?? '';
    const { text } = await ask('/agents', { headers: { cookie } });
    const token = /name="token" value="([^"]+)"/.exec(text)?.[1] ?? '';
    const act = (form: Record<string, string>, more: Sent = {}) =>
      ask('/agents', { form: { token, ...form }, headers: { cookie, ...more.headers }, ...more });
    return { cookie, token, act, page: () => ask('/agents', { headers: { cookie } }) };
  };
  return { ...started, ask, signIn };
}

const STOP = { act: 'stop', agent: 'bot', reason: 'runs in circles', by: 'ada' };

describe('signing in', () => {
  test('a key becomes a cookie that scripts cannot read, other sites do not send, and that ends', async () => {
    const { ask } = await start();
    const { status, headers } = await ask('/login', { form: { key: ` ${KEY}\n` } });
    expect([status, headers.get('location')]).toEqual([303, 'agents']);
    const cookie = headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^kavach=\S+; Max-Age=28800; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(KEY);
  });

  test('behind https it is a cookie of https only', async () => {
    const secure = createSessions('k', 'https://kavach.example/base');
    const { ask } = await start({ sessions: secure });
    const origin = 'https://kavach.example';
    const { headers } = await ask('/login', { form: { key: KEY }, origin });
    expect(headers.get('set-cookie')).toMatch(/^__Host-kavach=.*; Secure;/);
  });

  test.each(['', 'kv_other'])('an unknown key is told so: %j', async (key) => {
    const { ask } = await start();
    const { status, text, headers } = await ask('/login', { form: { key } });
    expect(status).toBe(401);
    expect(text).toContain('unknown or revoked');
    expect(headers.get('set-cookie')).toBeNull();
  });

  test('a form of another site signs nobody in', async () => {
    const { ask } = await start();
    const { status, headers } = await ask('/login', {
      form: { key: KEY },
      origin: 'https://a.test',
    });
    expect(status).toBe(403);
    expect(headers.get('set-cookie')).toBeNull();
  });

  test('nobody sees agents without it; after signing out neither', async () => {
    const { ask, signIn } = await start();
    const { status, headers, text } = await ask('/agents');
    expect([status, headers.get('location'), text]).toEqual([303, 'login', '']);
    const { cookie } = await signIn();
    const out = await ask('/logout', { form: {}, headers: { cookie } });
    expect(out.headers.get('set-cookie')).toMatch(/^kavach=; Max-Age=0/);
  });

  test.each<[string, (token: string) => string]>([
    ['changed', (token) => token.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))],
    ['prolonged', (token) => token.replace(/\.(\d+)\./, (_, at: string) => `.${at}0.`)],
    ['unsigned', (token) => token.slice(0, -44)],
    ['of another installation', () => createSessions('other').open(hashApiKey(KEY), NOON).token],
    ['empty', () => ''],
  ])('SE-1: a session that is %s is nobody’s', async (_what, change) => {
    const { ask, signIn } = await start();
    const { cookie } = await signIn();
    const changed = `kavach=${change(cookie.slice('kavach='.length))}`;
    expect((await ask('/agents', { headers: { cookie: changed } })).status).toBe(303);
  });

  test('it ends after eight hours; SE-2: and at once when its key is revoked', async () => {
    const { signIn, clock, ledger } = await start();
    const { page } = await signIn();
    clock.now = NOON + 8 * 3_600_000 - 1;
    expect((await page()).status).toBe(200);
    ledger.apiKeys.clear();
    expect((await page()).status).toBe(303);
    ledger.apiKeys.set(hashApiKey(KEY), testKey());
    clock.now += 1;
    expect((await page()).status).toBe(303);
  });

  test('a ledger that is away is no sign-out', async () => {
    const { signIn, ledger } = await start();
    const { page } = await signIn();
    ledger.before = () => {
      throw new Error('connection refused');
    };
    expect((await page()).status).toBe(503);
  });

  test('a gateway without sessions has no such pages', async () => {
    const { gateway } = await startTestGateway();
    for (const path of ['/agents', '/login']) {
      expect((await fetch(gateway.url + path)).status).toBe(404);
    }
  });
});

describe('what it shows', () => {
  test('budgets: used, limit, percent and when it resets; a kill: by what, when and why', async () => {
    const { signIn, post, ingest, ledger } = await start();
    await post('/v1/sync-config', syncDocument());
    await ingest(usageEvent({ cost: 4.13 }));
    const { page } = await signIn();
    const before = (await page()).text;
    expect(before).toContain('research-bot');
    expect(before).toContain('cost: $4.13 of $5.00 (82%)');
    expect(before).toContain('resets 2026-11-22 00:00 UTC');
    expect(before).not.toContain('killed');
    const id = [...ledger.rows.keys()].find((row) => row.includes('research-bot')) ?? '';
    const killed = { at: NOON, dimension: 'cost', bps: 10_000, limit: 5_000_000_000 } as const;
    ledger.kill(id, killed);
    const { text } = await page();
    expect(text).toContain('<span class="state critical">killed</span>');
    expect(text).toContain(
      'Killed by this daily budget at 2026-11-21 12:00 UTC: it passed 100% of $5.00.',
    );
  });

  test('a Stop: by whom, when and why, with the very next request, also of an agent without budgets', async () => {
    const { signIn, post } = await start();
    const { page } = await signIn();
    await post('/v1/agents/lonely/stop', { reason: 'too loud', by: 'bob' });
    const { text } = await page();
    expect(text).toContain('<span class="state critical">stopped</span>');
    expect(text).toContain('Stopped by bob at 2026-11-21 12:00 UTC: too loud');
  });

  test('everything that came from outside is text, wherever it stands', async () => {
    const { signIn, post, ingest, ledger } = await start();
    ledger.apiKeys.set(hashApiKey(KEY), testKey({ name: EVIL }));
    await post('/v1/sync-config', syncDocument({ agent_name: EVIL }));
    await ingest(usageEvent({ agent_name: EVIL }));
    const { act } = await signIn();
    const { text } = await act({ act: 'stop', agent: EVIL, reason: EVIL, by: EVIL });
    expect(text.match(/&lt;script&gt;/g)?.length).toBeGreaterThanOrEqual(6);
    expect(text).not.toMatch(/<script|'x'|"1"/);
  });

  test('no script, nothing loaded, not framed, not kept', async () => {
    const { signIn, ask } = await start();
    const { page } = await signIn();
    for (const { headers, text } of [await page(), await ask('/login')]) {
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(headers.get('cache-control')).toBe('no-store');
      // Else browsers hide the origin of its forms.
      expect(headers.get('referrer-policy')).toBe('same-origin');
      expect(text).not.toMatch(/<script|<img|<link| on\w+=| style="/);
    }
  });
});

describe('acting from it', () => {
  test('Stop and Resume, with who and why; twice is once', async () => {
    const { signIn, ledger } = await start();
    const { act } = await signIn();
    const stopped = await act(STOP);
    expect(stopped.status).toBe(200);
    expect(stopped.text).toContain('bot is stopped');
    expect(stopped.text).toContain('Stopped by ada (tester) at 2026-11-21 12:00 UTC');
    expect(await ledger.stopped('default')).toEqual([
      { agent: 'bot', at: NOON, by: 'ada (tester)', reason: 'runs in circles' },
    ]);
    expect((await act({ ...STOP, reason: 'another' })).text).toContain('the first reason stands');
    const resumed = await act({ act: 'resume', agent: 'bot' });
    expect(resumed.text).toContain('bot may go on');
    expect(await ledger.stopped('default')).toEqual([]);
    expect((await act({ act: 'resume', agent: 'bot' })).text).toContain('was not stopped');
  });

  test.each<[string, Sent]>([
    ['another site', { origin: 'https://evil.test' }],
    ['a page that hides where it is', { origin: 'null' }],
    ['nowhere', { origin: null }],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }],
    ['another site, as the browser says', { headers: { 'sec-fetch-site': 'cross-site' } }],
    ['a sister domain', { headers: { 'sec-fetch-site': 'same-site' } }],
  ])('SE-3: a POST from %s is refused and does nothing', async (_what, sent) => {
    const { signIn, ledger } = await start();
    const { act, cookie } = await signIn();
    const headers = { cookie, ...sent.headers };
    const { status, text } = await act(STOP, { ...sent, headers });
    expect(status).toBe(403);
    expect(text).toContain('nothing was done');
    expect(ledger.calls).not.toContain('stop');
  });

  test('a browser that states only the site is believed, too', async () => {
    const { signIn, ledger } = await start();
    const { act, cookie } = await signIn();
    const headers = { cookie, 'sec-fetch-site': 'same-origin' };
    expect((await act(STOP, { headers, origin: null })).status).toBe(200);
    expect(ledger.calls).toContain('stop');
  });

  test('SE-3: without the token of this session it does nothing', async () => {
    const { signIn, ledger } = await start();
    const other = await signIn();
    const { act } = await signIn();
    for (const token of ['', 'x', other.token]) {
      expect((await act({ ...STOP, token })).status).toBe(403);
    }
    expect(ledger.calls).not.toContain('stop');
  });

  test('nobody signed in: it leads to the sign-in and does nothing', async () => {
    const { ask, ledger } = await start();
    expect((await ask('/agents', { form: STOP })).status).toBe(303);
    expect(ledger.calls).not.toContain('stop');
  });

  test('a key that may not stop agents sees them, without forms, and cannot act', async () => {
    const { signIn, ledger, ask } = await start();
    ledger.apiKeys.set(hashApiKey(KEY), testKey({ scopes: ['read'] }));
    const { cookie, page } = await signIn();
    const { status, text } = await page();
    expect(status).toBe(200);
    expect(text).toContain('may not stop agents');
    expect(text).not.toContain('name="act"');
    const token = cookie.slice('kavach='.length);
    const formToken = sessions.read(token, NOON)?.formToken ?? '';
    const form = { ...STOP, token: formToken };
    expect((await ask('/agents', { form, headers: { cookie } })).status).toBe(403);
    expect(ledger.calls).not.toContain('stop');
  });

  test.each<[string, Record<string, string>, string]>([
    ['no reason', { ...STOP, reason: ' \n' }, 'needs a reason'],
    ['no agent', { ...STOP, agent: '' }, 'Whom?'],
    ['an endless name', { ...STOP, agent: 'x'.repeat(201) }, 'Whom?'],
    ['another word', { ...STOP, act: 'explode' }, 'Neither Stop nor Resume'],
  ])('%s: 422, told on the page, nothing done', async (_what, form, said) => {
    const { signIn, ledger } = await start();
    const { act } = await signIn();
    const { status, text } = await act(form);
    expect(status).toBe(422);
    expect(text).toContain(said);
    expect(ledger.calls).not.toContain('stop');
  });

  test('a GET does nothing, whatever its query says; a form larger than any is not read', async () => {
    const { signIn, ask, ledger } = await start();
    const { cookie, token, act } = await signIn();
    const query = new URLSearchParams({ ...STOP, token }).toString();
    await ask(`/agents?${query}`, { headers: { cookie } });
    expect((await act({ ...STOP, reason: 'x'.repeat(20_000) })).status).toBe(413);
    expect(ledger.calls).not.toContain('stop');
  });

  test('neither key nor cookie gets into the log', async () => {
    const { signIn, lines } = await start();
    const { act, cookie, token } = await signIn();
    await act(STOP);
    const logged = JSON.stringify(lines);
    expect(logged).toContain('agent stopped');
    for (const secret of [KEY, cookie.slice(7), token]) expect(logged).not.toContain(secret);
  });
});
