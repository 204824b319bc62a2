/** `kavach demo` as people start it, on traces that take seconds; and broken off. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { findTemporal } from '../../cli/embedded/temporal-binary.js';
import { processesOf } from '../support/processes.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const kavach = fileURLToPath(new URL('../../cli/kavach.mjs', import.meta.url));

let temporalCli = '';
beforeAll(async () => {
  temporalCli = (await findTemporal({ env: process.env, onProgress: console.error })).path;
}, 600_000);

interface Play {
  readonly child: ChildProcess;
  /** Where the demo makes its folder: nothing may be left in it. */
  readonly folder: string;
  readonly exited: Promise<unknown[]>;
  stdout(): string;
  stderr(): string;
}

/** Whatever the surroundings point at must not be touched: these addresses lead nowhere. */
function startDemo(...flags: string[]): Play {
  const folder = temporaryFolder();
  const child = spawn(process.execPath, [kavach, 'demo', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      TMPDIR: folder,
      TEMPORAL_CLI_PATH: temporalCli,
      TEMPORAL_ADDRESS: 'temporal.invalid:7233',
      DATABASE_URL: 'postgres://ledger.invalid/kavach',
      KAVACH_PORT: 'nonsense',
    },
  });
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (texts.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (texts.stderr += String(chunk)));
  return {
    ...{ child, folder, exited: once(child, 'exit') },
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
  };
}

function leftIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('kavach-demo-'));
}

function writeTrace(rows: readonly string[]): string {
  const file = join(temporaryFolder(), 'trace.csv');
  writeFileSync(file, ['TIMESTAMP,ContextTokens,GeneratedTokens', ...rows].join('\r\n'));
  return file;
}

interface Document {
  readonly ok: boolean;
  readonly differences: readonly string[];
  readonly books: readonly { book: string; events: number; cost: number; tokens: number }[];
  readonly thresholds: readonly { expected: number; fired: number }[];
  readonly deliveries: readonly { attempts: readonly { outcome: string }[] }[];
}

describe('the demo', () => {
  test('a trace of one call balances in every book, and nothing is left', async () => {
    const play = startDemo('--json', '--trace', writeTrace(['2023-11-16 18:15:46.6805900,374,44']));
    expect(await play.exited, play.stderr()).toEqual([0, null]);
    const document = JSON.parse(play.stdout()) as Document;
    expect(document).toMatchObject({ ok: true, differences: [] });
    for (const book of document.books) {
      expect(book).toMatchObject({ events: 1, cost: 1_375_000, tokens: 418 });
    }
    expect(document.thresholds.map(({ expected }) => expected)).toEqual([1, 1, 1, 1, 0, 1]);
    expect(document.thresholds.every(({ expected, fired }) => fired === expected)).toBe(true);
    const outcomes = document.deliveries.map(({ attempts }) => attempts.map((a) => a.outcome));
    expect(outcomes).toContainEqual(['transient', 'accepted']);
    expect(leftIn(play.folder)).toEqual([]);
    expect(processesOf(play.folder)).toEqual([]);
  }, 180_000);

  test('killed service and killed Temporal server: the same books, each decided once', async () => {
    const rows = Array.from({ length: 600 }, (_, n) => {
      const time = new Date(Date.UTC(2023, 10, 16) + n * 20).toISOString().replace('Z', '0000Z');
      return `${time},${String(500 + (n % 7) * 100)},${String(50 + (n % 5) * 10)}`;
    });
    const play = startDemo(
      '--json',
      '--kills',
      '2',
      '--kill-temporal',
      '--trace',
      writeTrace(rows),
    );
    expect(await play.exited, play.stderr()).toEqual([0, null]);
    const document = JSON.parse(play.stdout()) as Document;
    expect(document.differences).toEqual([]);
    expect(new Set(document.books.map(({ events }) => events))).toEqual(new Set([600]));
    expect(new Set(document.books.map(({ cost }) => cost)).size).toBe(1);
    expect(processesOf(play.folder)).toEqual([]);
  }, 240_000);

  test.each([
    ['SIGTERM', 143, 'Temporal server at'],
    ['SIGINT', 130, 'of 19,366 calls'],
  ] as const)(
    '%s ends it with %d, once it has said "%s", and leaves nothing',
    async (signal, code, moment) => {
      const play = startDemo();
      await new Promise<void>((resolve) => {
        play.child.stdout?.on('data', () => {
          if (play.stdout().includes(moment)) resolve();
        });
        play.child.once('exit', () => {
          resolve();
        });
      });
      play.child.kill(signal);
      expect(await play.exited, play.stdout()).toEqual([code, null]);
      expect(leftIn(play.folder)).toEqual([]);
      expect(processesOf(play.folder)).toEqual([]);
    },
    180_000,
  );

  test('a trace that cannot be read ends it before anything is started', async () => {
    const play = startDemo('--json', '--trace', writeTrace(['yesterday,1,2']));
    expect(await play.exited).toEqual([1, null]);
    expect(JSON.parse(play.stdout())).toMatchObject({ ok: false });
    expect(play.stderr()).toContain('Line 2 of the trace, TIMESTAMP');
    expect(leftIn(play.folder)).toEqual([]);
  });
});
