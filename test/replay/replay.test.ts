/**
 * Every recorded history decides the same with today's workflows, and this tier can tell when one
 * does not. A red test here says: what runs in production would fail its next workflow task.
 */
import {
  cpSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HISTORIES = fileURLToPath(new URL('histories/', import.meta.url));
const names = readdirSync(HISTORIES)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));
const quiet = new DefaultLogger('ERROR', () => undefined);
type Bundle = Awaited<ReturnType<typeof bundleWorkflowCode>>;
type History = Parameters<typeof Worker.runReplayHistory>[1];

const bundle = (root: string): Promise<Bundle> =>
  bundleWorkflowCode({ workflowsPath: join(root, 'workflows/index.ts'), logger: quiet });
const historyOf = (name: string): History =>
  JSON.parse(readFileSync(join(HISTORIES, `${name}.json`), 'utf8')) as History;
const replay = (workflowBundle: Bundle, history: History): Promise<void> =>
  Worker.runReplayHistory({ workflowBundle }, history);

let today: Bundle;
const folders: string[] = [];
beforeAll(async () => {
  Runtime.install({
    logger: quiet,
    telemetryOptions: { logging: { forward: {}, filter: 'OFF' } },
  });
  today = await bundle(ROOT);
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Today's sources with one change, bundled. The change must apply. */
async function changedBundle(file: string, from: string, to: string): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), 'kavach-replay-'));
  folders.push(folder);
  for (const part of ['domain', 'workflows']) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const text = readFileSync(join(folder, file), 'utf8');
  if (!text.includes(from)) throw new Error(`${file} does not hold ${from}: choose another change`);
  writeFileSync(join(folder, file), text.replace(from, to));
  return bundle(folder);
}

describe('recorded histories', () => {
  test('there is one of every kind of path', () => {
    expect(names).toEqual(
      expect.arrayContaining([
        'period-thresholds-kill-close',
        'period-opened-by-direct-sender',
        'period-rotation-1',
        'period-rotation-2',
        'period-nonsense',
        'period-publish-failing',
        'period-raise-failing',
        'period-hanging-run',
        'period-limits-raised-and-lowered',
        'period-cooldown-held',
        'alert-accepted',
        'alert-ladder-to-failure',
        'alert-acknowledged-between-steps',
        'alert-resolved-by-a-person',
        'alert-period-end',
        'alert-attempt-lost',
        'alert-fallback-and-revoked-vote',
        'alert-escalated-and-acknowledged',
        'alert-late',
        'alert-rotation-1',
        'alert-rotation-2',
        'agent-cooldown-and-end',
        'agent-every-match',
        'agent-silence',
        'agent-rule-changed-and-removed',
        'agent-ledger-away',
        'agent-nonsense',
        'agent-rotation-1',
        'agent-rotation-2',
        'alert-quiet-hours',
        'alert-quiet-hours-passed-over',
        'alert-silenced',
        'alert-silence-removed',
        'alert-escalation-ended-by-silence',
        'alert-offer-confirmed',
        'alert-offer-missed',
        'alert-decided-when-routed',
        'alert-last-resort',
      ]),
    );
  });

  test.each(names)('%s decides the same today', async (name) => {
    await replay(today, historyOf(name));
  });
});

describe('what must not pass', () => {
  test('an alert that writes no journal', async () => {
    const writes = 'if (state.writing > 0 || state.unwritten.length === 0)';
    const changed = await changedBundle('domain/alert/reduce.ts', writes, 'if (true as boolean)');
    const replaying = replay(changed, historyOf('alert-accepted'));
    await expect(replaying).rejects.toThrow(DeterminismViolationError);
  });

  test('a period that takes no report but the first', async () => {
    const newest = 'return report.seq > known.seq;';
    const changed = await changedBundle('domain/budget/apply-report.ts', newest, 'return false;');
    const replaying = replay(changed, historyOf('period-thresholds-kill-close'));
    await expect(replaying).rejects.toThrow(DeterminismViolationError);
  });

  test('an agent whose cooldowns never end', async () => {
    const quiet = 'matchedAt < quiet';
    const changed = await changedBundle('domain/agent/decide.ts', quiet, '(true as boolean)');
    const replaying = replay(changed, historyOf('agent-cooldown-and-end'));
    await expect(replaying).rejects.toThrow(DeterminismViolationError);
  });

  test('a history in which something else was done', async () => {
    const text = JSON.stringify(historyOf('alert-accepted'));
    const broken = JSON.parse(text.replaceAll('"name":"journal"', '"name":"diary"')) as History;
    expect(JSON.stringify(broken)).not.toBe(text);
    await expect(replay(today, broken)).rejects.toThrow(DeterminismViolationError);
  });
});
