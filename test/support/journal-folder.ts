/** vitest setup file: guards of a test, and of processes it starts, keep their journals out of the home. */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const folder = join(tmpdir(), `kavach-journal-${crypto.randomUUID()}`);
process.env['AGENTKAVACH_JOURNAL_DIR'] = folder;

afterAll(() => {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});
