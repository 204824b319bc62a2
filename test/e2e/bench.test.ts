/** The bench's short form: its accounts balance and its figures are there. Speed is not judged. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Printed {
  readonly balanced: boolean;
  readonly details: { readonly checks: readonly { readonly balances: boolean }[] };
}

/** Rejects when the bench exits with anything but 0: an account that does not balance is 1. */
async function bench(...args: string[]): Promise<Printed & Readonly<Record<string, unknown>>> {
  const command = ['--import', 'tsx', 'bench/main.ts', '--json', '--short', ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: root });
  return JSON.parse(stdout) as Printed & Record<string, unknown>;
}

test('the short bench of memory, direct and ingest balances, and prints its figures by name', async () => {
  const printed = await bench('--only', 'memory,direct,ingest');
  expect(printed.balanced).toBe(true);
  expect(printed.details.checks.length).toBeGreaterThan(10);
  const names = ['memory.bytesPerPeriod', 'direct.ratio', 'ingest.ratio', 'ingest.eventsPerSecond'];
  for (const name of names) expect(printed[name], name).toEqual(expect.any(Number));
}, 180_000);

test('an unknown figure is refused with the names there are', async () => {
  await expect(bench('--only', 'speed')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('expected some of replay, memory, direct, ingest') as string,
  });
});
