/**
 * A2 with a real crash: a hundred copies of a notice from ten senders, and a `kill -9` of the whole
 * service while its worker is in the middle of the first attempt. One alert, 99 repeats, one key.
 */
import { expect, test } from 'vitest';
import { startStack } from '../../bench/stack.js';
import type { AlertView, SentNoticeView } from '../../ledger/ledger.js';
import { digestWorkflowId } from '../../domain/ids.js';
import { until } from './service-kit.js';

test('a hundred copies, and a killed worker: one alert, told under one key, 99 repeats', async () => {
  const { signal } = new AbortController();
  const stack = await startStack({
    ...{ env: process.env, onProgress: () => undefined, signal },
    variables: ({ url }) => ({
      AGENTKAVACH_WEBHOOK_URL: `${url}/webhook/own`,
      KAVACH_LADDER_MS: '500,1000,2000',
      RESEND_API_KEY: 're_test',
      RESEND_BASE_URL: `${url}/resend`,
      KAVACH_EMAIL_FROM: 'Kavach <kavach@example.com>',
    }),
  });
  try {
    const { url, apiKey, killAndRestart } = await stack.service();
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
    const notice = (over: object) => ({
      ...{ agent_id: 'import-agent', title: 'Gaps', user_id: 'ana', channels: ['webhook'] },
      ...over,
    });
    const post = async (over: object = {}): Promise<string> => {
      const body = JSON.stringify(notice(over));
      const answer = await fetch(`${url}/v1/notices`, { method: 'POST', headers, body });
      expect(answer.status).toBe(202);
      return ((await answer.json()) as { alert_id: string }).alert_id;
    };
    /** Ten senders at once, each with its copies one after the other. */
    const burst = (copies: number) =>
      Promise.all(
        Array.from({ length: 10 }, async (_, sender) => {
          const ids: string[] = [];
          for (let no = 0; no < copies; no += 1) {
            ids.push(await post({ notification_id: `${String(sender)}-${String(no)}` }));
          }
          return ids;
        }),
      );

    stack.sink.script('/webhook/own', [{ type: 'hang', at: 'headers' }]);
    const before = (await burst(5)).flat();
    await until('the first attempt', () => stack.sink.requests.length > 0);
    await killAndRestart();
    const after = (await burst(5)).flat();
    const ids = [...new Set([...before, ...after])];
    expect(ids).toHaveLength(1);
    const id = ids[0] ?? '';

    const read = async () => {
      const answer = await fetch(`${url}/v1/alerts/${encodeURIComponent(id)}`, { headers });
      if (!answer.ok) return undefined;
      return (await answer.json()) as { alert: AlertView; notice: SentNoticeView };
    };
    const ended = await until(
      'its end',
      async () => {
        const found = await read();
        return found?.alert.phase === 'resolved' && found;
      },
      40_000,
    );
    expect(ended).toMatchObject({ alert: { exhausted: false }, notice: { repeats: 99 } });
    // Told again after the crash, as nobody knew what had become of it: under the same key (A12).
    const told = stack.sink.requests.filter(({ path }) => path === '/webhook/own');
    expect(new Set(told.map(({ key }) => key)).size).toBe(1);
    expect(stack.sink.messages('/webhook/own')).toHaveLength(1);

    // Another person's is that person's own, also after all this.
    expect(await post({ user_id: 'ben' })).not.toBe(id);
    await until('the word for ben', () => stack.sink.messages('/webhook/own').length === 2);

    // P3. What is of low priority wakes the digest of its recipient, and waits there for its hour.
    const ask = async (method: string, path: string, body?: object) => {
      const init = body === undefined ? {} : { body: JSON.stringify(body) };
      const answer = await fetch(`${url}/v1/recipients/cleo${path}`, { method, headers, ...init });
      expect(answer.status).toBe(200);
      return (await answer.json()) as Readonly<Record<string, unknown>>;
    };
    await ask('PUT', '', {});
    await ask('PUT', '/contacts/email', { address: 'cleo@example.com' });
    const mail = await until('the code', () => stack.sink.messages('/resend/emails')[0]);
    const { text } = JSON.parse(mail.body) as { text: string };
    const code = /\b\d{6}\b/.exec(text)?.[0];
    await ask('POST', '/contacts/email/verify', { code });
    await post({ user_id: 'cleo', channels: ['email'], priority: 'low', title: 'All is well' });
    const handle = stack.client.workflow.getHandle(digestWorkflowId('default', 'cleo', 'hourly'));
    await until('the digest', () =>
      handle.describe().then(
        () => true,
        () => undefined,
      ),
    );
    expect(await ask('GET', '/digests')).toMatchObject({
      waiting: [
        {
          cadence: 'hourly',
          total: 1,
          mail: { text: expect.stringContaining('All is well') as string },
        },
      ],
    });
    expect(stack.sink.messages('/resend/emails')).toHaveLength(1);
  } finally {
    await stack.close();
  }
}, 180_000);
