/** Runs vitest in a copy of the tree, as a child, and says which test was the first to turn red. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mutant } from './mutants.js';

export interface TestRun {
  /** The first red test; a file that did not even load counts as one. */
  readonly red?: string;
  readonly passed: number;
}

interface Report {
  readonly numPassedTests: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
  }[];
}

const TIMEOUT_MS = 120_000;

/** The tests of all the mutants given, in one run that stops at the first red one. */
export async function runTests(root: string, of: readonly Mutant[]): Promise<TestRun> {
  const folder = mkdtempSync(join(tmpdir(), 'kavach-mutant-report-'));
  const file = join(folder, 'report.json');
  const names = of.flatMap(({ only }) => (only === undefined ? [] : [escaped(only)]));
  const project = of.some(({ server }) => server === true) ? 'server' : 'no-server';
  const args = [
    ...[join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--bail', '1'],
    ...['--project', project, '--reporter', 'json', '--outputFile', file],
    ...(names.length === 0 ? [] : ['-t', names.join('|')]),
    ...new Set(of.map(({ test }) => test)),
  ];
  try {
    await run(root, args);
    return readReport(JSON.parse(readFileSync(file, 'utf8')) as Report);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readReport({ testResults, numPassedTests, success }: Report): TestRun {
  for (const { name, status, assertionResults } of testResults) {
    const red = assertionResults.find((each) => each.status === 'failed');
    if (red !== undefined) return { red: red.title, passed: numPassedTests };
    if (status === 'failed') return { red: name, passed: numPassedTests };
  }
  return success ? { passed: numPassedTests } : { red: 'the run itself', passed: numPassedTests };
}

function run(cwd: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, stdio: 'ignore' });
    const timer = setTimeout(() => child.kill('SIGTERM'), TIMEOUT_MS);
    child.on('error', reject);
    child.on('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
