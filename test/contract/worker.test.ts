/** The worker around its lives: a server that is away, and the bundle that is built once. */
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Activities } from '../../activities/index.js';
import { workflowBundle } from '../../worker/bundle.js';
import { createLog } from '../../worker/log.js';
import { runWorker } from '../../worker/main.js';
import { temporaryFolder } from '../support/temporary-folder.js';

test('a worker whose server is away says so once, goes on trying, and can be stopped', async () => {
  const lines: string[] = [];
  const log = createLog(
    { level: 'warn', format: 'json' },
    { write: (line) => void lines.push(line) },
  );
  let tries = 0;
  let tellThird: () => void = () => undefined;
  const third = new Promise<void>((resolve) => (tellThird = resolve));
  const worker = runWorker({
    connection: { address: '127.0.0.1:9' },
    namespace: 'default',
    taskQueue: 'away',
    activities: {} as Activities,
    bundle: () => {
      tries += 1;
      if (tries === 3) tellThird();
      return Promise.resolve({ codePath: '/nonexistent' });
    },
    log,
    retryMs: 1,
  });
  await worker.settled;
  expect(worker.state()).toBe('connecting');
  await third;
  await worker.stop();
  expect(worker.state()).toBe('stopped');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ reason: 'Connection refused' });
  expect(lines[0]).toContain('127.0.0.1:9 (namespace default) cannot be used yet');
});

test('the bundle is built once, and an older one is cleared away', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'workflows-old.js'), '');
  const { codePath } = await workflowBundle(folder);
  const { ino, mtimeMs } = statSync(codePath);
  expect(await workflowBundle(folder)).toEqual({ codePath });
  expect(statSync(codePath)).toMatchObject({ ino, mtimeMs });
  expect(readdirSync(folder)).toEqual([codePath.slice(folder.length + 1)]);
});
