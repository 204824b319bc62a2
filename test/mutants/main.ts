/**
 * `npm run mutants [-- --json] [-- name …]`: proves that the tests can fail. In a temporary copy of
 * the tree one thing after another is taken away, and the test that watches it has to turn red.
 * Exit code 1 when one survives, an edit no longer applies, or the copy is red to begin with.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTests, type TestRun } from './run-tests.js';
import { MUTANTS, type Mutant } from './mutants.js';

const USAGE = 'npm run mutants [-- --json] [-- part of a mutant’s name …]';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LEFT_BEHIND = new Set(['node_modules', '.git', '.kavach', 'dist', 'coverage']);

interface Verdict {
  readonly mutant: string;
  /** Of the first test that turned red; the file, while none did. */
  readonly test: string;
  readonly verdict: 'ok' | 'SURVIVED' | 'DOES NOT APPLY' | 'BASELINE IS RED';
  readonly ms: number;
}

function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'kavach-mutants-'));
  const isWanted = (source: string): boolean => !LEFT_BEHIND.has(relative(ROOT, source));
  cpSync(ROOT, copy, { recursive: true, filter: isWanted });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Answers what undoes it, or undefined when a text is no longer there. */
function apply(copy: string, { edits }: Mutant): (() => void) | undefined {
  const before = new Map<string, string>();
  const undo = (): void => {
    for (const [path, text] of before) writeFileSync(path, text);
  };
  for (const { file, from, to } of edits) {
    const path = join(copy, file);
    const text = readFileSync(path, 'utf8');
    if (!before.has(path)) before.set(path, text);
    if (text.split(from).length !== 2) {
      undo();
      return undefined;
    }
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
  }
  return undo;
}

async function judge(copy: string, mutant: Mutant): Promise<Verdict> {
  const begunAt = performance.now();
  const say = (verdict: Verdict['verdict'], test = mutant.test): Verdict => ({
    ...{ mutant: mutant.name, test, verdict, ms: Math.round(performance.now() - begunAt) },
  });
  const undo = apply(copy, mutant);
  if (undo === undefined) return say('DOES NOT APPLY');
  try {
    const run = await runTests(copy, [mutant]);
    return run.red === undefined ? say('SURVIVED') : say('ok', run.red);
  } finally {
    undo();
  }
}

/** All tests that mutants name, unchanged: together where they can be. */
async function baseline(copy: string, mutants: readonly Mutant[]): Promise<Verdict | undefined> {
  const groups = new Map<string, Mutant[]>();
  for (const mutant of mutants) {
    const group = mutant.server === true ? 'server' : mutant.only === undefined ? 'whole' : 'named';
    groups.set(group, [...(groups.get(group) ?? []), mutant]);
  }
  for (const group of groups.values()) {
    const run: TestRun = await runTests(copy, group);
    if (run.red === undefined && run.passed > 0) continue;
    const test = run.red ?? 'no test was found';
    return { mutant: 'nothing', test, verdict: 'BASELINE IS RED', ms: 0 };
  }
  return undefined;
}

function show(verdicts: readonly Verdict[]): void {
  const wide = (of: (verdict: Verdict) => string): number =>
    Math.max(...verdicts.map((verdict) => of(verdict).length));
  const [left, middle] = [wide(({ mutant }) => mutant), wide(({ test }) => test)];
  for (const { mutant, test, verdict, ms } of verdicts) {
    const time = `${(ms / 1_000).toFixed(1)} s`.padStart(7);
    console.log(`${mutant.padEnd(left)}  ${test.padEnd(middle)}  ${time}  ${verdict}`);
  }
}

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => arg.startsWith('--') && arg !== '--json');
  if (unknown !== undefined) {
    console.error(`${unknown === '--help' ? '' : `${unknown} is not known. `}${USAGE}`);
    return unknown === '--help' ? 0 : 2;
  }
  const names = args.filter((arg) => !arg.startsWith('--'));
  const wanted = MUTANTS.filter(
    ({ name }) => names.length === 0 || names.some((each) => name.includes(each)),
  );
  const copy = copyTree();
  const remove = (): void => {
    // By its own name only: whatever else lies beside it is somebody else's.
    if (basename(copy).startsWith('kavach-mutants-'))
      rmSync(copy, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      remove();
      process.exit(signal === 'SIGINT' ? 130 : 143);
    });
  }
  const verdicts: Verdict[] = [];
  try {
    const red = await baseline(copy, wanted);
    if (red !== undefined) verdicts.push(red);
    else {
      for (const mutant of wanted) {
        const verdict = await judge(copy, mutant);
        verdicts.push(verdict);
        console.error(`${verdict.verdict}  ${verdict.mutant}`);
      }
    }
  } finally {
    remove();
  }
  const isGood = verdicts.every(({ verdict }) => verdict === 'ok');
  if (args.includes('--json')) console.log(JSON.stringify({ ok: isGood, mutants: verdicts }));
  else show(verdicts);
  return isGood ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
