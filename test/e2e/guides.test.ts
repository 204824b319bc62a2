/**
 * The guides are true. In their Markdown: `<!-- run -->` before a block of shell runs it, `run until`
 * repeats it until it answers so, `first` goes before every one; a block of JSON after it is (part
 * of) its answer. `<!-- file: … -->` before a block: it is that file.
 */
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestService, type TestService } from './service-kit.js';

const ROOT = new URL('../../', import.meta.url);
const GUIDES = readdirSync(new URL('docs/guides/', ROOT)).filter((name) => name.endsWith('.md'));
const run = promisify(execFile);

interface Block {
  readonly mark: string;
  readonly language: string;
  readonly text: string;
  /** The block of JSON that follows it directly. */
  readonly answer?: string;
  readonly line: number;
}

function blocksOf(markdown: string): Block[] {
  const block =
    /<!-- (?<mark>[^>]+) -->\n\n```(?<language>\w+)\n(?<text>[^]*?)```\n(?:\n```json\n(?<answer>[^]*?)```\n)?/g;
  return Array.from(markdown.matchAll(block), ({ groups, index }) => ({
    mark: groups!['mark']!,
    language: groups!['language']!,
    text: groups!['text']!,
    ...(groups!['answer'] === undefined ? {} : { answer: groups!['answer'] }),
    line: markdown.slice(0, index).split('\n').length,
  }));
}

const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

describe('the guides', () => {
  test.each(GUIDES)('%s: every mark is understood, and shows the files it names', (name) => {
    const markdown = read(`docs/guides/${name}`);
    const blocks = blocksOf(markdown);
    expect(blocks).toHaveLength(markdown.split('<!-- ').length - 1);
    for (const { mark, text, language } of blocks) {
      const file = /^file: (.+)$/.exec(mark)?.[1];
      if (file === undefined)
        expect([mark, language]).toEqual([expect.stringMatching(/^(first|run|run until)$/), 'sh']);
      else expect(text).toBe(read(file));
    }
  });

  test('the example of the Python SDK is in its guide', () => {
    const marks = blocksOf(read('docs/guides/python-sdk.md')).map(({ mark }) => mark);
    expect(marks).toContain('file: examples/python/budget_agent.py');
  });
});

describe('what the HTTP guide says to run', () => {
  let service: TestService | undefined;
  const blocks = blocksOf(read('docs/guides/http.md'));
  const first = blocks.find(({ mark }) => mark === 'first')?.text ?? '';
  const steps = blocks.filter(({ mark }) => mark.startsWith('run'));

  beforeAll(async () => {
    service = await startTestService({
      variables: ({ url }) => ({ AGENTKAVACH_SLACK_WEBHOOK_URL: `${url}/slack/team` }),
    });
  });
  afterAll(async () => {
    await service?.stop();
  });

  test('has something to run', () => {
    expect(steps.length).toBeGreaterThan(5);
  });

  // One after the other: they tell one story.
  test.each(steps)('line $line: $mark', async ({ mark, text, answer }) => {
    const attempt = async (): Promise<void> => {
      const printed = await shell(`${first}\n${text}`);
      if (answer !== undefined) expect(JSON.parse(printed)).toMatchObject(JSON.parse(answer));
    };
    if (mark === 'run until') await expect.poll(attempt, { timeout: 20_000 }).toBeUndefined();
    else await attempt();
  });

  test('the addresses it names have got what it says, once', async () => {
    const seen = () => service!.sink.messages().map(({ path }) => path);
    await expect.poll(seen, { timeout: 20_000 }).toHaveLength(2);
    expect(seen().sort()).toEqual(['/resend/emails', '/slack/team']);
  });

  async function shell(script: string): Promise<string> {
    const { url, apiKey } = service!;
    const env = { PATH: process.env['PATH'], KAVACH_URL: url, KAVACH_API_KEY: apiKey };
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { env });
    return stdout;
  }
});
