/** The page of an alert: who may see it, what it shows, and that only its POST acts (A9). */
import { describe, expect, test } from 'vitest';
import { createAlertLinks, orgOfAlert, TEST_ALERT_ID } from '../../gateway/links.js';
import { AGENT, ALERT_ID, links, PAGE, SIGNED, startAlertGateway } from './gateway-alert-kit.js';
import { KEY, NOON } from './gateway-kit.js';

const t = links.sign(ALERT_ID);

describe('who may see it', () => {
  test('whoever has the signed link', async () => {
    const { page } = await startAlertGateway();
    const { status, text } = await page(SIGNED);
    expect(status).toBe(200);
    expect(text).toContain('$4.13 of $5.00 (82%)');
    expect(text).toContain('<form method="post">');
  });

  test.each([
    ['no signature', ''],
    ['an empty one', '?t='],
    ['a wrong one', `?t=${t.slice(0, -1)}${t.endsWith('A') ? 'B' : 'A'}`],
    ['half of one', `?t=${t.slice(0, 11)}`],
    ['one and some more', `?t=${t}A`],
    ['that of another alert', `?t=${links.sign(`${ALERT_ID}0`)}`],
    ['that of another installation', `?t=${createAlertLinks('another key').sign(ALERT_ID)}`],
    ['text that is no ASCII', '?t=%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80ab'],
  ])('%s: a notice without data', async (_what, query) => {
    const { page, ledger } = await startAlertGateway();
    const { status, text } = await page(PAGE + query);
    expect(status).toBe(200);
    expect(text).toContain('An alert of Kavach');
    expect(text).not.toMatch(/4\.13|5\.00|firing|<form|daily cost/);
    expect(ledger.calls).not.toContain('alert');
  });

  test('an API key, as Bearer; an unknown one is refused', async () => {
    const { gateway } = await startAlertGateway();
    const ask = (key: string) =>
      fetch(gateway.url + PAGE, { headers: { authorization: `Bearer ${key}` } });
    expect(await (await ask(KEY)).text()).toContain('$4.13');
    expect((await ask('kv_other')).status).toBe(401);
  });

  test('a gateway without a link key shows its notice to everybody', async () => {
    const { page } = await startAlertGateway({});
    expect((await page(SIGNED)).text).not.toContain('4.13');
    expect((await page(PAGE, { t, act: 'resolve' })).status).toBe(403);
  });

  test('a signed link to an alert that is not there shows the notice', async () => {
    const { page, ledger } = await startAlertGateway();
    ledger.alertViews.splice(0);
    expect((await page(SIGNED)).text).toContain('An alert of Kavach');
  });

  test('the link of a test message says that nothing is wrong', async () => {
    const { page } = await startAlertGateway();
    const path = `/alerts/${encodeURIComponent(TEST_ALERT_ID)}`;
    expect((await page(`${path}?t=${links.sign(TEST_ALERT_ID)}`)).text).toContain('a test message');
    expect((await page(path)).text).not.toContain('a test message');
  });

  test('an id names its organisation, unless that was too long to be written out', () => {
    expect(orgOfAlert('alert/a%2Fb/org/daily/x/1')).toBe('a/b');
    for (const id of ['alert/x~0123/org', 'alert//org', 'budget/a/b', 'alert/%E0%A4%A/x']) {
      expect(orgOfAlert(id), id).toBeUndefined();
    }
  });
});

describe('what it shows', () => {
  test('everything that came from outside is text, wherever it stands', async () => {
    const { page, ledger, put } = await startAlertGateway();
    put('acknowledged', AGENT);
    const journal = ledger.journals.get(ALERT_ID) ?? [];
    ledger.journals.set(ALERT_ID, [
      ...journal,
      { no: 2, at: NOON, what: 'attempt', channel: 'slack', delivery: 'd', reason: AGENT },
    ]);
    ledger.attempts.set(ALERT_ID, [
      {
        ...{ deliveryId: 'd', channel: 'slack', attempt: 1, startedAt: NOON },
        outcome: { kind: 'transient', reason: AGENT },
      },
    ]);
    const { text } = await page(SIGNED);
    expect(text.match(/&lt;script&gt;/g)?.length).toBeGreaterThanOrEqual(5);
    expect(text).not.toMatch(/<script|'x'|"1"/);
  });

  test('deliveries with their attempts, and why something was not sent, in words', async () => {
    const { page, ledger } = await startAlertGateway();
    ledger.journals.set(ALERT_ID, [
      { no: 1, at: NOON, what: 'raised' },
      {
        ...{ no: 2, at: NOON, what: 'suppressed', delivery: 'd2', channel: 'sms' },
        reason: 'no_destination',
      },
      {
        ...{ no: 3, at: NOON, what: 'last_resort', delivery: 'd3', channel: 'webhook' },
        reason: 'nobody_reached',
      },
    ]);
    ledger.attempts.set(ALERT_ID, [
      {
        ...{ deliveryId: 'd1', channel: 'slack', attempt: 1, startedAt: NOON },
        outcome: { kind: 'throttled', reason: 'HTTP 429' },
      },
      {
        ...{ deliveryId: 'd1', channel: 'email', attempt: 2, startedAt: NOON },
        outcome: { kind: 'accepted', reason: 'taken' },
        receipt: { what: 'undelivered', at: NOON, reason: 'it bounced' },
      },
    ]);
    const text = (await page(SIGNED)).text.replace(/\s+/g, ' ');
    expect(text).toContain('throttled (HTTP 429)');
    expect(text).toContain(
      'accepted (taken); did not arrive, said at 2026-11-21 12:00 UTC (it bounced)',
    );
    expect(text).toContain('not sent: there is no destination for this channel');
    expect(text).toContain('webhook of the operators told: nobody else could be reached');
    expect(text).toContain('2026-11-22 00:00 UTC');
  });

  test('needs no script and loads nothing; its signature goes nowhere', async () => {
    const { page } = await startAlertGateway();
    for (const path of [SIGNED, PAGE]) {
      const { headers, text } = await page(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(text).toContain('name="viewport"');
      expect(text).not.toMatch(/<script|<img|<link| on\w+=| style="/);
      // The policy allows the one style sheet it has, to the byte.
      const style = /<style>([^]*?)<\/style>/.exec(text)?.[1] ?? '';
      const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
      expect(policy).toContain(`'sha256-${Buffer.from(digest).toString('base64')}'`);
    }
  });

  test('of an alert that is over there is nothing left to press', async () => {
    const { page, put } = await startAlertGateway();
    put('acknowledged', 'ada');
    const { text } = await page(SIGNED);
    expect(text).toContain('Acknowledged by ada');
    expect(text).not.toContain('value="acknowledge"');
    expect(text).toContain('value="resolve"');
    put('resolved', 'period end');
    expect((await page(SIGNED)).text).not.toContain('<form');
  });
});

describe('G-L4: a link ends a week after the last thing that happened', () => {
  const WEEK = 7 * 86_400_000;

  test('until then the page says until when; afterwards it shows nothing and takes no word', async () => {
    const { page, told, clock, gateway } = await startAlertGateway();
    clock.now = NOON + WEEK - 1;
    expect((await page(SIGNED)).text.replace(/\s+/g, ' ')).toContain(
      'may act until 2026-11-28 12:00 UTC',
    );
    expect((await page(PAGE, { t, act: 'acknowledge' })).status).toBe(200);
    expect(told).toHaveLength(1);
    clock.now = NOON + WEEK;
    const late = await page(SIGNED);
    expect(late.status).toBe(410);
    expect(late.text).toContain('This link has expired');
    expect(late.text).not.toMatch(/4\.13|<form/);
    expect((await page(PAGE, { t, act: 'resolve' })).status).toBe(410);
    expect(told).toHaveLength(1);
    // An API key is no link.
    const headers = { authorization: `Bearer ${KEY}` };
    expect((await fetch(gateway.url + PAGE, { headers })).status).toBe(200);
  });

  test('an attempt, a decision or a word lets it live on', async () => {
    const { page, ledger, clock, put } = await startAlertGateway();
    clock.now = NOON + WEEK;
    ledger.attempts.set(ALERT_ID, [
      { deliveryId: 'd', channel: 'slack', attempt: 1, startedAt: NOON + 1 },
    ]);
    expect((await page(SIGNED)).status).toBe(200);
    ledger.attempts.clear();
    expect((await page(SIGNED)).status).toBe(410);
    put('acknowledged', 'ada');
    ledger.journals.set(ALERT_ID, [{ no: 1, at: NOON + 1, what: 'acknowledged', by: 'ada' }]);
    expect((await page(SIGNED)).status).toBe(200);
  });
});

describe('acting from it', () => {
  test('A9: a GET changes nothing, whatever its query says; the POST of the form does', async () => {
    const { page, told } = await startAlertGateway();
    await page(SIGNED);
    await page(`${SIGNED}&act=acknowledge&by=scanner`);
    expect(told).toEqual([]);
    const { status, text } = await page(PAGE, { t, act: 'acknowledge', by: 'ada', note: 'on it' });
    expect(status).toBe(200);
    expect(text).toContain('Acknowledged. Nothing more is sent about it.');
    expect(text).toContain('Acknowledged by ada (link)');
    const actor = { by: 'ada (link)', note: 'on it' };
    expect(told).toEqual([{ act: 'acknowledge', id: ALERT_ID, actor }]);
  });

  test('a name is not needed; what no store can hold is taken out of it', async () => {
    const { page, told } = await startAlertGateway();
    await page(PAGE, { t, act: 'resolve', by: ' ' });
    await page(PAGE, { t, act: 'resolve', by: `a\u0000b\r\nc${'x'.repeat(999)}` });
    expect(told[0]?.actor).toEqual({ by: 'link' });
    expect(told[1]?.actor.by).toMatch(/^a b cx+ \(link\)$/);
    expect(told[1]?.actor.by.length).toBeLessThanOrEqual(200);
  });

  test.each<[string, Record<string, string>]>([
    ['no signature', { act: 'acknowledge' }],
    ['a wrong one', { t: `${t.slice(0, -1)}!`, act: 'acknowledge' }],
    ['an unknown word', { t, act: 'explode' }],
    ['none', { t }],
  ])('%s: 403, nothing is shown and nobody is told', async (_what, form) => {
    const { page, told } = await startAlertGateway();
    // The signature in the address does not count: only the form's does.
    const { status, text } = await page(SIGNED, form);
    expect(status).toBe(403);
    expect(text).not.toContain('4.13');
    expect(told).toEqual([]);
  });

  test('too late, or Temporal away: the page says so, with a status that says it, too', async () => {
    const { page, put, temporal } = await startAlertGateway();
    temporal.answer = () => Promise.reject(new Error('away'));
    const away = await page(PAGE, { t, act: 'acknowledge' });
    expect(away.status).toBe(503);
    expect(away.text).toContain('try again');
    put('resolved', 'period end');
    const late = await page(PAGE, { t, act: 'acknowledge' });
    expect(late.status).toBe(409);
    expect(late.text).toContain('This alert is over');
  });

  test('a form larger than any is not read', async () => {
    const { page, told } = await startAlertGateway();
    expect((await page(PAGE, { t, act: 'resolve', note: 'x'.repeat(20_000) })).status).toBe(413);
    expect(told).toEqual([]);
  });

  test('the name of who acted is logged, the signature is not', async () => {
    const { page, lines } = await startAlertGateway();
    await page(SIGNED);
    await page(PAGE, { t, act: 'acknowledge', by: 'ada' });
    const text = JSON.stringify(lines);
    expect(text).toContain('ada (link)');
    expect(text).not.toContain(t);
  });
});
