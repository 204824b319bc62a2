/**
 * The fault campaign's short form: parts of both sets are killed under load, the accounts balance,
 * and nothing of it is left.
 */
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { processesOf } from '../support/processes.js';

interface Printed {
  readonly balanced: boolean;
  readonly sets: readonly {
    readonly set: string;
    readonly kills: Readonly<Record<string, number>>;
    readonly events: number;
    readonly crossings: number;
    readonly checks: readonly { readonly what: string; readonly balances: boolean }[];
  }[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Of its own, to see what is left there; Postgres may run as another user. */
const folder = mkdtempSync(join(tmpdir(), 'kavach-e2e-'));
chmodSync(folder, 0o755);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Rejects when it exits with anything but 0. */
const faults = async (...args: string[]): Promise<string> => {
  const command = ['--import', 'tsx', 'faults/main.ts', ...args];
  const env = { ...process.env, TMPDIR: folder };
  return (await promisify(execFile)(process.execPath, command, { cwd: root, env })).stdout;
};

test('three kills each: nothing is lost, counted twice, missed or decided twice', async () => {
  const printed = JSON.parse(
    await faults('--kills', '6', '--seed', '5', '--every', '1500', '--json'),
  ) as Printed;
  expect(printed.balanced).toBe(true);
  expect(printed.sets.map(({ set }) => set)).toEqual(['embedded', 'processes']);
  for (const { kills, events, crossings, checks } of printed.sets) {
    expect(Object.values(kills).reduce((sum, count) => sum + count, 0)).toBe(3);
    expect(events).toBeGreaterThan(0);
    expect(crossings).toBeGreaterThan(0);
    expect(checks.length).toBeGreaterThan(10);
  }
  expect(readdirSync(folder).filter((name) => name.startsWith('kavach-faults-'))).toEqual([]);
  expect(processesOf(folder)).toEqual([]);
}, 400_000);

test('what makes no sense is refused', async () => {
  const refused = faults('--set', 'none');
  await expect(refused).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('expected embedded, processes or both') as string,
  });
});
