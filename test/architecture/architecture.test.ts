/** Reads the source files and holds them to the cut: who imports whom, and which packages. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { FOLDERS } from './folders.js';

interface Rule {
  readonly imports: readonly string[];
  readonly typeImports?: readonly string[];
  readonly packages: readonly string[];
}
interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const rules = FOLDERS as Readonly<Record<string, Rule>>;

/** `import type { A } from 'x'`, `import { B } from "y"`, `export * from`, `import('z')`. */
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;

function sourcesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(IMPORT)].map((found) => ({
    file,
    target: found[2] ?? found[3] ?? '',
    typeOnly: found[1] !== undefined,
  }));
}

const pathOf = (file: string, target: string): string =>
  relative(root, resolve(join(root, file), '..', target)).replace(/\.js$/, '.ts');
const folderOf = ({ file, target }: Import): string =>
  relative(root, resolve(join(root, file), '..', target)).split('/')[0] ?? '';

function isForbidden(rule: Rule, folder: string, each: Import): boolean {
  if (each.target.startsWith('.')) {
    const other = folderOf(each);
    if (other === folder || rule.imports.includes(other)) return false;
    return !(each.typeOnly && (rule.typeImports ?? []).includes(other));
  }
  return !rule.packages.some(
    (allowed) =>
      allowed === '*' ||
      each.target === allowed ||
      each.target.startsWith(`${allowed}/`) ||
      (allowed === 'node:*' && each.target.startsWith('node:')),
  );
}

describe('the cut', () => {
  for (const [folder, rule] of Object.entries(rules)) {
    test(`${folder}/ imports only what it may`, () => {
      const files = sourcesOf(folder);
      expect(files.length).toBeGreaterThan(0);
      const forbidden = files
        .flatMap(importsOf)
        .filter((each) => isForbidden(rule, folder, each))
        .map(({ file, target }) => `${file} imports ${target}`);
      expect(forbidden).toEqual([]);
    });
  }

  test('the check sees what it is there for', () => {
    const see = (target: string, typeOnly = false) =>
      isForbidden(rules['workflows'] as Rule, 'workflows', {
        file: 'workflows/x.ts',
        target,
        typeOnly,
      });
    expect(see('../ledger/open.js')).toBe(true);
    expect(see('../activities/index.js')).toBe(true);
    expect(see('../activities/index.js', true)).toBe(false);
    expect(see('pg')).toBe(true);
    expect(see('../domain/step.js')).toBe(false);
  });

  test('no file imports itself by a detour', () => {
    const next = new Map<string, string[]>();
    for (const folder of Object.keys(rules)) {
      for (const file of sourcesOf(folder)) {
        next.set(
          file,
          importsOf(file)
            .filter(({ target, typeOnly }) => target.startsWith('.') && !typeOnly)
            .map(({ target }) => pathOf(file, target)),
        );
      }
    }
    const done = new Set<string>();
    const rings: string[] = [];
    const visit = (file: string, way: readonly string[]): void => {
      if (way.includes(file)) rings.push([...way.slice(way.indexOf(file)), file].join(' -> '));
      if (way.includes(file) || done.has(file)) return;
      for (const each of next.get(file) ?? []) visit(each, [...way, file]);
      done.add(file);
    };
    for (const file of next.keys()) visit(file, []);
    expect(rings).toEqual([]);
  });

  test('nothing a workflow or a machine imports asks Intl: time-zone data differs between versions', () => {
    const seen = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const each of importsOf(file)) {
        if (each.typeOnly || !each.target.startsWith('.')) continue;
        visit(pathOf(file, each.target));
      }
    };
    visit('workflows/index.ts');
    for (const machine of ['budget', 'alert']) visit(`domain/${machine}/reduce.ts`);
    expect(seen.size).toBeGreaterThan(20);
    expect(
      [...seen].filter((file) => readFileSync(join(root, file), 'utf8').includes('Intl.')),
    ).toEqual([]);
  });

  test('no file grows past 300 lines, and none carries an address of a registry or a machine', () => {
    const long: string[] = [];
    const words: string[] = [];
    for (const folder of Object.keys(rules)) {
      for (const file of sourcesOf(folder)) {
        const text = readFileSync(join(root, file), 'utf8');
        if (text.split('\n').length > 301) long.push(file);
        if (/registry\.npmjs|\/wor[k]\/|\/roo[t]\//.test(text)) words.push(file);
      }
    }
    expect({ long, words }).toEqual({ long: [], words: [] });
  });
});
