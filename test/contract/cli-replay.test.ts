/** `kavach replay` of history files: proves, or names the first difference; says what is no history. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ReplayAnswer } from '../../cli/replay.js';
import { kavach } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const RECORDED = new URL('../replay/histories/alert-ladder-to-failure.json', import.meta.url)
  .pathname;

interface Recorded {
  events: { eventType: string; activityTaskScheduledEventAttributes?: { activityType: object } }[];
}

async function replayed(file: string): Promise<{ code: number; answer: ReplayAnswer }> {
  const { code, out } = await kavach(['replay', file, '--json']);
  return { code, answer: JSON.parse(out) as ReplayAnswer };
}

describe('a recorded history', () => {
  test('decides the same today', async () => {
    const { code, answer } = await replayed(RECORDED);
    expect(answer).toMatchObject({ deterministic: true, workflow: RECORDED });
    expect(answer.events).toBeGreaterThan(answer.tasks);
    expect(answer.tasks).toBeGreaterThan(0);
    expect(code).toBe(0);
  });

  test('with another activity in it names that event, and ends with 1', async () => {
    const history = JSON.parse(readFileSync(RECORDED, 'utf8')) as Recorded;
    const index = history.events.findIndex(
      ({ eventType }) => eventType === 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED',
    );
    const attributes = history.events[index]?.activityTaskScheduledEventAttributes;
    if (attributes === undefined) throw new Error('the history has no activity');
    attributes.activityType = { name: 'somethingElse' };
    const file = join(temporaryFolder(), 'changed.json');
    writeFileSync(file, JSON.stringify(history));
    const { code, answer } = await replayed(file);
    expect(code).toBe(1);
    expect(answer.deterministic).toBe(false);
    expect(answer.difference).toContain('somethingElse');
  });
});

describe('what is no history', () => {
  test.each([
    ['not JSON', '{'],
    ['no events', '{"events":[]}'],
    ['something else', '[1]'],
    ['nothing', 'null'],
  ])('%s is told with how to record one', async (_name, content) => {
    const file = join(temporaryFolder(), 'history.json');
    writeFileSync(file, content);
    const { code, err } = await kavach(['replay', file]);
    expect(code).toBe(1);
    expect(err).toContain(file);
    expect(err).toContain('temporal workflow show');
  });
});
