/** P3 from the ledger to the mailbox: the digests' activities on a real ledger and a fake Resend. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createDigestActivities } from '../../activities/digest.js';
import { createEmailChannel } from '../../channels/email.js';
import type { DigestRef } from '../../domain/digest/state.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import { startSink, type Sink } from '../../fakes/sink.js';
import { createUnsubscribeLinks, unsubscribeUrl } from '../../gateway/links.js';
import { bearer, realLedger } from './gateway-real-kit.js';

const real = realLedger();
const links = createUnsubscribeLinks('a key of thirty-two characters, at least');
const NOON = Date.UTC(2026, 10, 21, 12, 20);
let sink: Sink;
beforeAll(async () => {
  sink = await startSink();
});
afterAll(() => sink.stop());

interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

let made = 0;

async function stage(zone = 'Asia/Kolkata') {
  const ledger = real.ledger();
  const { gateway } = await real.start({ unsubscribeLinks: links });
  onTestFinished(() => gateway.stop());
  const org = `org-${String((made += 1))}`;
  const author = { by: 'test', now: NOON };
  const id = 'ana';
  const ref: DigestRef = { org, recipient: id, cadence: 'hourly' };
  const address = `ana@${org}.example.com`;
  await ledger.putRecipient({ org, id }, author);
  await ledger.putContact({ org, id, channel: 'email', address }, author);
  const code = '123456';
  await ledger.newCode({ org, id, channel: 'email', code, until: NOON + 1e6, now: NOON });
  await ledger.verifyContact({ org, id, channel: 'email' }, code, author);
  const { preferences } = (await ledger.recipient({ org, id }))!;
  await ledger.setPreferences({ org, id }, { ...preferences, zone }, author);

  const activities = createDigestActivities({
    ledger,
    channels: {
      email: createEmailChannel({
        ...{ apiKey: 're_test', from: 'Kavach <kavach@example.com>' },
        baseUrl: `${sink.url}/resend`,
      }),
    },
    alertUrl: (alertId) => `https://kavach.test/alerts/${encodeURIComponent(alertId)}`,
    unsubscribeUrl: (of, recipient) => unsubscribeUrl(gateway.url, { org: of, recipient }, links),
    ...{ now: () => NOON, timeoutMs: 2_000, digestHourMs: 3_600_000 },
  });
  /** As the gateway and the relay do it: low priority, so it is routed into the digest. */
  const notice = async (title: string) => {
    const words = { title, body: '', priority: 'low', channels: ['email', 'push'] } as const;
    const whose = { org, id: title, notificationId: title, agent: 'import-agent', recipient: id };
    const terms = { policy: DEFAULT_POLICY, windowMs: 1_000, now: NOON };
    await ledger.sendNotice({ ...whose, ...words, createdAt: NOON }, terms);
    for (const { input } of await ledger.claimAlerts({ now: NOON, limit: 99, leaseMs: 1e9 })) {
      const routes = await ledger.routeAlert(input, NOON);
      expect(routes.map(({ suppressed }) => suppressed)).toEqual(['digest', 'digest']);
    }
  };
  const send = (digest: { id: string; total: number }, attempt = 1) =>
    activities.sendDigest({ ref, digest, attempt, isLast: false });
  const mails = (): Mail[] =>
    sink
      .messages('/resend/emails')
      .map(({ body }) => JSON.parse(body) as Mail)
      .filter(({ to }) => to === address);
  return { ledger, activities, ref, org, id, address, gateway, notice, send, mails };
}

describe('a digest, end to end', () => {
  test('is one mail at the local hour, grouped, with its links and headers', async () => {
    const { activities, ref, notice, send, mails, org, address } = await stage();
    await notice('The import is done');
    await notice('The <index> was rebuilt');
    // 12:20 UTC is 17:50 in Kolkata: its next full hour is ten minutes away.
    expect(await activities.planDigest(ref)).toEqual({ dueAt: NOON + 10 * 60_000 });
    const { digest } = await activities.claimDigest(ref);
    expect(digest).toMatchObject({ total: 2 });
    expect(await send(digest!)).toMatchObject({ type: 'sent', outcome: { kind: 'accepted' } });
    const [mail, ...others] = mails();
    expect(others).toEqual([]);
    expect(mail).toMatchObject({ to: address, subject: '[DIGEST] 2 alerts of low priority' });
    expect(mail!.text).toContain('import-agent (2)');
    expect(mail!.text).toContain('2026-11-21 17:50  The import is done');
    expect(mail!.html).toContain('The &lt;index&gt; was rebuilt');
    expect(mail!.headers).toEqual({
      'List-Unsubscribe': expect.stringContaining(`/unsubscribe?org=${org}&user=ana&t=`) as string,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    });
    await activities.endDigest(ref, digest!.id, { result: 'sent', reason: 'accepted: ok' });
    expect(await activities.planDigest(ref)).toEqual({});
    expect(await activities.claimDigest(ref)).toEqual({});
  });

  test('A11: a repeat has the same key and bytes, and one that was taken is not sent again', async () => {
    const { activities, ref, notice, send, mails } = await stage();
    await notice('first');
    const { digest } = await activities.claimDigest(ref);
    sink.script('/resend/emails', [{ type: 'status', status: 503 }]);
    expect(await send(digest!)).toMatchObject({ outcome: { kind: 'transient' } });
    await notice('second: it is in the next');
    expect(await send(digest!, 2)).toMatchObject({ outcome: { kind: 'accepted' } });
    expect(await send(digest!, 3)).toMatchObject({ outcome: { kind: 'accepted' } });
    const tries = sink.requests.slice(-2);
    expect(new Set(tries.map(({ key }) => key)).size).toBe(1);
    expect(new Set(tries.map(({ body }) => body)).size).toBe(1);
    expect(mails()).toHaveLength(1);
    expect(mails()[0]?.text).not.toContain('second');
    await activities.endDigest(ref, digest!.id, { result: 'sent', reason: 'accepted: ok' });
    expect((await activities.claimDigest(ref)).digest).toMatchObject({ total: 1 });
  });

  test('one click ends it, by the very request a mail program makes; a GET changes nothing', async () => {
    const { activities, ref, notice, send, mails, ledger, org, id } = await stage();
    await notice('first');
    const { digest } = await activities.claimDigest(ref);
    await send(digest!);
    await activities.endDigest(ref, digest!.id, { result: 'sent', reason: 'accepted: ok' });
    await notice('second');
    const link = /<(.+)>/.exec(mails()[0]?.headers['List-Unsubscribe'] ?? '')?.[1] ?? '';
    const isOut = async () => (await ledger.recipient({ org, id }))?.preferences.unsubscribed;
    const page = await fetch(link);
    expect([page.status, await isOut()]).toEqual([200, false]);
    expect(await page.text()).toContain('name="List-Unsubscribe"');

    const post = (url: string, body = 'List-Unsubscribe=One-Click') =>
      fetch(url, {
        ...{ method: 'POST', body, redirect: 'manual' },
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    for (const [url, body] of [
      [link.replace(/t=.*$/, 't=AAAAAAAAAAAAAAAAAAAAAA'), undefined],
      [link.replace('user=ana', 'user=ben'), undefined],
      [link.replace(`org=${org}`, 'org=default'), undefined],
      [link, 'something=else'],
    ] as const) {
      expect((await post(url, body)).status).toBe(403);
    }
    expect(await isOut()).toBe(false);
    for (const _twice of [1, 2]) {
      const done = await post(link);
      expect([done.status, done.headers.get('set-cookie')]).toEqual([200, null]);
    }
    expect(await isOut()).toBe(true);

    const next = await activities.claimDigest(ref);
    expect(await send(next.digest!)).toEqual({ type: 'suppressed', reason: 'preference' });
    expect(mails()).toHaveLength(1);
  });

  test('whoever is removed, or has no verified address any more, gets nothing', async () => {
    const { activities, ref, notice, send, mails, ledger, org, id } = await stage();
    await notice('first');
    const { digest } = await activities.claimDigest(ref);
    await ledger.removeContact({ org, id, channel: 'email' }, { by: 'test', now: NOON });
    expect(await send(digest!)).toEqual({ type: 'suppressed', reason: 'no_destination' });
    await ledger.removeRecipient({ org, id }, { by: 'test', now: NOON });
    expect(await send(digest!)).toEqual({ type: 'suppressed', reason: 'no_destination' });
    expect(mails()).toEqual([]);
  });

  test('what waits is shown over HTTP without being sent, and the rest of the world sees nothing', async () => {
    const { notice, mails, org, ledger, activities, ref } = await stage();
    await notice('The import is done');
    const { createDigestParts } = await import('../../cli/digest-parts.js');
    const { ports } = createDigestParts({
      ...{ ledger, linkKey: 'k'.repeat(32) },
      alertUrl: (alertId) => `https://kavach.test/${alertId}`,
      homeUrl: () => 'https://kavach.test',
    });
    const { request } = await real.start({ ...ports, now: () => NOON });
    const ask = (key: string) =>
      request('GET', '/v1/recipients/ana/digests', undefined, bearer(key));
    const own = await ask(await real.key({ org, scopes: ['operate'] }));
    expect(own.body).toMatchObject({
      waiting: [{ cadence: 'hourly', total: 1, nextAt: NOON + 10 * 60_000 }],
      digests: [],
    });
    expect(JSON.stringify(own.body)).toContain('The import is done');
    const short = await real.start({ ...ports, now: () => NOON, policy: { digestHourMs: 60_000 } });
    const key = await real.key({ org, scopes: ['operate'] });
    const soon = await short.request(
      ...(['GET', '/v1/recipients/ana/digests', undefined, bearer(key)] as const),
    );
    expect(soon.body).toMatchObject({ waiting: [{ nextAt: NOON + 60_000 }] });
    expect((await ask(await real.key({ org: 'thief' }))).status).toBe(404);
    expect(mails()).toEqual([]);
    const { digest } = await activities.claimDigest(ref);
    const after = await ask(await real.key({ org, scopes: ['operate'] }));
    expect(after.body).toMatchObject({ waiting: [], digests: [{ id: digest!.id, total: 1 }] });
  });
});
