/** The table of channels: what it holds, and that a name left out of it does not compile. */
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { createChannels } from '../../channels/index.js';
import { CHANNELS } from '../../domain/words.js';

const FILE = 'channels/index.ts';
const SOURCE = readFileSync(FILE, 'utf8');

describe('the registry', () => {
  test('without options it holds what needs no account of the operator', () => {
    expect(Object.keys(createChannels()).sort()).toEqual(['pagerduty', 'slack', 'webhook']);
  });

  test('holds what can be sent, under its own name', () => {
    const channels = createChannels({
      email: { apiKey: 're_x', from: 'a@example.com' },
      sms: { accountSid: 'AC1', authToken: 't', from: '+15550061616' },
      pagerduty: { baseUrl: 'https://events.eu.pagerduty.com' },
    });
    const names = Object.keys(channels).sort();
    expect(names).toEqual(['email', 'pagerduty', 'slack', 'sms', 'webhook']);
    for (const name of CHANNELS) expect(channels[name]?.name ?? name).toBe(name);
  });

  test('as it is, it compiles', () => {
    expect(errorsOf(SOURCE)).toEqual([]);
  });

  test.each(CHANNELS)('a copy that leaves out %s does not compile', (name) => {
    const broken = SOURCE.replace(new RegExp(`^ {4}${name}: .*\\n`, 'm'), '');
    expect(broken).not.toBe(SOURCE);
    expect(errorsOf(broken)).toEqual([
      expect.stringMatching(new RegExp(`Property '${name}' is missing in type`)),
    ]);
  });

  test('a copy with a name that the domain does not know does not compile', () => {
    const strange = SOURCE.replace(/^ {4}kill: /m, '    pigeon: unsupported,\n    kill: ');
    expect(errorsOf(strange)).toEqual([expect.stringMatching(/'pigeon' does not exist/)]);
  });
});

/** Parsed once for all copies: what they import does not change. */
const parsed = new Map<string, ts.SourceFile | undefined>();
let last: ts.Program | undefined;

/** What the compiler says of the table's file if it read so. */
function errorsOf(source: string): string[] {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)).config,
    ts.sys,
    '.',
  );
  const host = ts.createCompilerHost(options);
  const parse = host.getSourceFile.bind(host);
  host.getSourceFile = (name, languageVersion) => {
    if (name.endsWith(FILE)) return ts.createSourceFile(name, source, languageVersion);
    if (!parsed.has(name)) parsed.set(name, parse(name, languageVersion));
    return parsed.get(name);
  };
  const program = ts.createProgram([FILE], options, host, last);
  last = program;
  const file = program.getSourceFiles().find(({ fileName }) => fileName.endsWith(FILE));
  return program
    .getSemanticDiagnostics(file)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
