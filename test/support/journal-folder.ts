/** vitest globalSetup of all tiers: guards of tests, and of what they start, keep out of the home. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Returns the teardown, as vitest wants it: also guards that nobody closed have written by then. */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'kavach-journal-'));
  process.env['AGENTKAVACH_JOURNAL_DIR'] = folder;
  return () => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
}
