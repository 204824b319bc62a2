/** What an agent says in its notices: shown on every channel, and never more than text. */
import { describe, expect, test } from 'vitest';
import { renderEmail } from '../../channels/email-message.js';
import { renderPagerduty } from '../../channels/pagerduty-message.js';
import { renderSlack } from '../../channels/slack-message.js';
import { renderSms } from '../../channels/sms-message.js';
import { measureSms } from '../../channels/sms-segments.js';
import { renderWebhook } from '../../channels/webhook-message.js';
import { HOSTILE_NAMES, wordsView } from './channel-views.js';

describe.each(HOSTILE_NAMES)('words that are %s', (_what, text) => {
  const view = wordsView({ title: text, body: `${text}\n${text}`, metadata: { [text]: text } });

  test('stay text of an email, in one subject', () => {
    const { subject, html } = renderEmail(view);
    expect(subject).not.toMatch(/[\r\n]/);
    expect(html).not.toMatch(/<img|<@/);
  });

  test('page nobody in Slack, and fit', () => {
    const body = renderSlack(view);
    expect(body).not.toContain('<!channel>');
    expect(body.length).toBeLessThan(12_000);
    expect(() => JSON.parse(body) as unknown).not.toThrow();
  });

  test('fit into two segments, with the code', () => {
    const message = renderSms(view);
    expect(measureSms(message).segments).toBeLessThanOrEqual(2);
    expect(message).toMatch(/\nRef K7Q2MD$/);
  });

  test('come whole in a webhook and an event', () => {
    const { data } = JSON.parse(renderWebhook(view)) as { data: { body: string } };
    expect(data.body).toBe(`${text}\n${text}`);
    const event = JSON.parse(renderPagerduty(view)) as {
      payload: { custom_details: { body: string } };
    };
    expect(event.payload.custom_details.body).toBe(`${text}\n${text}`.toWellFormed());
  });
});

test('without a body there is no empty place for one', () => {
  const view = wordsView({ body: '', metadata: {} });
  expect(renderEmail(view).html).not.toContain('pre-wrap');
  expect(renderSlack(view)).not.toContain('"text":""');
  expect(renderSms(view)).toMatch(/^MEDIUM: Nightly import finished with gaps\.\nhttps/);
});
