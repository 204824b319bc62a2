/** What a person's browser is sent (channels/push.ts). */
import { describe, expect, test } from 'vitest';
import { renderPush } from '../../channels/push.js';
import {
  firingView,
  killingView,
  lateView,
  noticeView,
  resolvedView,
  wordsView,
} from './channel-views.js';

const ID = 'kavach-0123';

describe('the frame', () => {
  test.each([
    ['firing', firingView()],
    ['killing', killingView()],
    ['late', lateView()],
    ['notice', noticeView()],
    ['agent-notice', wordsView()],
    ['resolved', resolvedView()],
  ])('%s: as the golden file has it', async (name, view) => {
    const { body, contentType } = renderPush(view, ID);
    expect(contentType).toBe('application/json');
    const text = `${JSON.stringify(JSON.parse(body), undefined, 2)}\n`;
    await expect(text).toMatchFileSnapshot(`./golden/push-${name}.json`);
  });

  test('an agent’s own words come whole: its body as it was sent, and its metadata as an object', () => {
    const body = `Only body text\n  ${'x'.repeat(9_000)}`;
    const metadata = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`key ${String(i)}`, { nested: ['y'.repeat(90)] }]),
    );
    const told = JSON.parse(renderPush(wordsView({ body, metadata }), ID).body) as object;
    expect(told).toMatchObject({ body, metadata, agent_id: 'support-agent' });
    const { metadata: _none, ...words } = wordsView().words ?? { title: '', body: '' };
    const bare = { ...wordsView(), words: { ...words, body: '' } };
    expect(JSON.parse(renderPush(bare, ID).body)).toMatchObject({ body: '', metadata: {} });
  });

  test('C-1: the same view gives the same bytes', () => {
    expect(renderPush(firingView(), ID)).toEqual(renderPush(firingView(), ID));
  });

  test('a name can be anything: it stays one line of text, and the frame stays small', () => {
    const agentName = `<b>\ud800"\n${'x'.repeat(50_000)}`;
    const { body } = renderPush(firingView({ agentName }), ID);
    const frame = JSON.parse(body) as { title: string; agent_id: string };
    expect(frame.title).not.toContain('\n');
    expect(body.length).toBeLessThan(16_384);
    expect(body.isWellFormed()).toBe(true);
  });
});
