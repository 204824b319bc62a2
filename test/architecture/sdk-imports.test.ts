/**
 * What `import 'kavach'` loads: walks the imports of sdk/index.ts, those that are loaded at once
 * apart from those that wait until somebody needs them.
 */
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** `import x from`, `export * from`, `import 'x'`; what is of types alone is no import. */
const STATIC = /(?:^|\n)\s*(?:import|export)\s+(?!type\b)(?:([^'";]*?)\sfrom\s+)?['"]([^'"]+)['"]/g;
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

interface Found {
  readonly at: string;
  readonly target: string;
}

interface Walk {
  readonly files: ReadonlySet<string>;
  /** Packages and `node:` modules. */
  readonly outside: readonly Found[];
  /** What is loaded later. */
  readonly later: readonly Found[];
}

function walk(...entries: readonly string[]): Walk {
  const files = new Set<string>();
  const outside: Found[] = [];
  const later: Found[] = [];
  const visit = (at: string): void => {
    if (files.has(at)) return;
    files.add(at);
    const text = readFileSync(join(root, at), 'utf8').replace(/\/\*[\s\S]*?\*\/|\n\s*\/\/.*/g, '');
    for (const [, names = '', target = ''] of text.matchAll(STATIC)) {
      if (isTypesAlone(names)) continue;
      if (target.startsWith('.')) visit(pathOf(at, target));
      else outside.push({ at, target });
    }
    for (const [, target = ''] of text.matchAll(DYNAMIC)) {
      later.push({ at, target: target.startsWith('.') ? pathOf(at, target) : target });
    }
  };
  entries.forEach(visit);
  return { files, outside, later };
}

/** `{ type A, type B }`. */
function isTypesAlone(names: string): boolean {
  const inside = /^\{([^}]*)\}$/.exec(names.trim())?.[1];
  if (inside === undefined) return false;
  const each = inside.split(',').filter((name) => name.trim() !== '');
  return each.length > 0 && each.every((name) => /^\s*type\s/.test(name));
}

function pathOf(at: string, target: string): string {
  return relative(root, resolve(join(root, at), '..', target)).replace(/\.js$/, '.ts');
}

const folderOf = (file: string): string => file.split('/')[0] ?? '';
const isHeavy = ({ target }: Found): boolean =>
  /^(@temporalio|pg|drizzle-orm|@electric-sql|undici|resend|twilio|nodemailer)(\/|$)/.test(target);

describe('import of the SDK', () => {
  const { files, outside, later } = walk('sdk/index.ts');

  test('loads sdk/ and domain/ alone, nothing of channels/ and nothing of standalone', () => {
    expect(files.size).toBeGreaterThan(60);
    expect([...new Set([...files].map(folderOf))].sort()).toEqual(['domain', 'sdk']);
    expect([...files].filter((file) => file.startsWith('sdk/standalone/'))).toEqual([]);
  });

  test('loads no package but the price library, and no module of Node', () => {
    expect(outside.filter(({ target }) => !target.startsWith('@pydantic/genai-prices'))).toEqual(
      [],
    );
  });

  test('what waits: the provider clients, the disk, and standalone', () => {
    expect([...new Set(later.map(({ target }) => target))].sort()).toEqual([
      ...['@anthropic-ai/sdk', 'openai', 'sdk/engine/disk.ts', 'sdk/standalone/admission.ts'],
    ]);
  });

  test('modules of Node are named in one file of sdk/', () => {
    const own = walk('sdk/index.ts', 'sdk/engine/disk.ts', 'sdk/standalone/admission.ts');
    const node = own.outside.filter(({ target }) => target.startsWith('node:'));
    expect([...new Set(node.map(({ at }) => at))]).toEqual(['sdk/engine/disk.ts']);
  });
});

describe('standalone', () => {
  const { files, outside, later } = walk('sdk/standalone/admission.ts');

  test('loads sdk/ and domain/ alone, until something is sent', () => {
    expect([...new Set([...files].map(folderOf))].sort()).toEqual(['domain', 'sdk']);
    expect(outside).toEqual([]);
  });

  test('loads channels in one file, and no Temporal or database with them', () => {
    const channels = later.filter(({ target }) => target.startsWith('channels/'));
    expect([...new Set(channels.map(({ at }) => at))]).toEqual(['sdk/standalone/send.ts']);
    const all = walk(...channels.map(({ target }) => target));
    expect([...new Set([...all.files].map(folderOf))].sort()).toEqual(['channels', 'domain']);
    const packages = all.outside.filter(isHeavy).map(({ target }) => target.split('/')[0]);
    expect([...new Set(packages)].sort()).toEqual(['nodemailer', 'resend', 'undici']);
  });
});

test('the check sees what it is there for', () => {
  expect(walk('activities/index.ts').outside.some(isHeavy)).toBe(true);
  expect(walk('channels/webhook.ts').outside.map(({ target }) => target)).toContain('undici');
});
