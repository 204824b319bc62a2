/**
 * The TypeScript of the guides compiles: the blocks behind `<!-- types -->`, one after the other, as
 * one module, by the rules of this project.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const GUIDES = `${ROOT}docs/guides/`;
const MARKED = /<!-- types -->\n\n```ts\n(?<text>[^]*?)```\n/g;

const marked = readdirSync(GUIDES).flatMap((name): [string, string][] => {
  const markdown = readFileSync(GUIDES + name, 'utf8');
  const blocks = Array.from(markdown.matchAll(MARKED), ({ groups }) => groups?.['text'] ?? '');
  return blocks.length === 0 ? [] : [[name, blocks.join('\n')]];
});

/** What the compiler has against a module of that text in the folder of the guides. */
function faultsOf(name: string, text: string): string[] {
  const file = `${GUIDES}${name}.ts`;
  const config: unknown = ts.readConfigFile(`${ROOT}tsconfig.json`, (path) =>
    readFileSync(path, 'utf8'),
  ).config;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const program = ts.createProgram([file], options, {
    ...host,
    fileExists: (path) => path === file || host.fileExists(path),
    getSourceFile: (path, language, ...rest) =>
      path === file
        ? ts.createSourceFile(path, text, language)
        : host.getSourceFile(path, language, ...rest),
  });
  return ts
    .getPreEmitDiagnostics(program, program.getSourceFile(file))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

test('there are such blocks', () => {
  expect(marked.map(([name]) => name)).toContain('typescript-sdk.md');
});

test.each(marked)('%s', (name, text) => {
  expect(faultsOf(name, text)).toEqual([]);
});

test('one that is wrong is found', () => {
  const wrong = "import { AgentKavach } from 'kavach';\nnew AgentKavach({ agentName: 5 });\n";
  expect(faultsOf('wrong', wrong)).toEqual([expect.stringContaining("'number' is not assignable")]);
});
