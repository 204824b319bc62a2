import { describe, expect, test } from 'vitest';
import { redact } from '../../channels/redact.js';
import { retryAfterMs } from '../../channels/retry-after.js';
import { post } from '../../channels/http.js';
import { startSink } from '../../fakes/sink.js';
import { LOOPBACK_GUARD } from './loopback-guard.js';

const NOW = Date.UTC(2026, 9, 21, 7, 28, 0);

describe('Retry-After', () => {
  test.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['', undefined],
    ['0', 0],
    [' 120 ', 120_000],
    ['3600', 3_600_000],
    ['86400', 3_600_000],
    ['999999999', undefined],
    ['1e3', undefined],
    ['1.5', undefined],
    ['-1', undefined],
    ['NaN', undefined],
    ['Infinity', undefined],
    ['Wed, 21 Oct 2026 07:28:30 GMT', 30_000],
    ['Wednesday, 21-Oct-26 07:28:30 GMT', 30_000],
    ['Wed, 21 Oct 2026 07:27:30 GMT', undefined],
    ['Wed, 21 Oct 2026 12:28:00 GMT', 3_600_000],
    ['Wed, 21 Oct 2099 07:28:00 GMT', undefined],
    ['Wed, 99 Oct 2026 07:28:30 GMT', undefined],
    ['2026-10-21T07:28:30Z', undefined],
  ])('%j asks for %s ms', (header, expected) => {
    expect(retryAfterMs(header, NOW)).toBe(expected);
  });
});

describe('what people may read', () => {
  test.each([
    ['Could not reach https://hooks.slack.com/services/T0/B0/x', 'Could not reach [redacted]'],
    ["`to` is bob.o'hara@example.com, not ok", '`to` is [redacted], not ok'],
    ['key re_abc is restricted', 'key [redacted] is restricted'],
    ['token 0123456789abcdef01234567', 'token [redacted]'],
    ['two\r\nlines\u0000', 'two lines'],
    ['plain words stay', 'plain words stay'],
  ])('%j', (text, expected) => {
    expect(redact(text, ['re_', 're_abc', ''])).toBe(expected);
  });
});

describe('one POST', () => {
  test('whole answers come with status, headers and at most 64 KiB of body', async () => {
    const sink = await startSink({ script: { webhook: [{ type: 'ok' }, { type: 'huge' }] } });
    const send = () =>
      post({
        url: new URL(`${sink.url}/webhook/x?y=1`),
        headers: { 'content-type': 'application/json' },
        body: '{"ü":1}',
        timeoutMs: 5_000,
        guard: LOOPBACK_GUARD,
      });
    try {
      const answer = await send();
      expect(answer).toMatchObject({ kind: 'answer', status: 200, body: '{"received":true}' });
      expect(sink.requests[0]).toMatchObject({ body: '{"ü":1}', headers: { connection: 'close' } });
      const huge = await send();
      expect(huge.kind === 'answer' ? huge.body.length : 0).toBe(65_536);
      sink.script('webhook', [{ type: 'huge', bytes: Infinity }]);
      expect(await send()).toMatchObject({ kind: 'answer', status: 200 });
    } finally {
      await sink.stop();
    }
  });

  test('less is read where less is of use', async () => {
    const sink = await startSink({ script: { webhook: [{ type: 'huge' }] } });
    try {
      const answer = await post({
        url: new URL(`${sink.url}/webhook/x`),
        headers: {},
        body: '{}',
        timeoutMs: 5_000,
        guard: LOOPBACK_GUARD,
        answerLimitBytes: 20_480,
      });
      expect(answer).toMatchObject({ kind: 'answer', status: 200 });
      expect(answer.kind === 'answer' ? answer.body.length : 0).toBe(20_480);
    } finally {
      await sink.stop();
    }
  });

  test('a status line that says no is believed although the answer was cut off', async () => {
    const sink = await startSink({
      script: { slack: [{ type: 'reset', at: 'body' }] },
    });
    try {
      const result = await post({
        url: new URL(`${sink.url}/slack/x`),
        headers: {},
        body: 'no JSON, so a 400',
        timeoutMs: 5_000,
        guard: LOOPBACK_GUARD,
      });
      expect(result).toEqual({ kind: 'reset', sent: true, status: 400 });
    } finally {
      await sink.stop();
    }
  });
});
