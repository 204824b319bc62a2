/**
 * The guides are true. In their Markdown: `<!-- run -->` before a block of shell runs it, `run until`
 * repeats it until it answers so, `first` goes before every one; a block of JSON after it is (part
 * of) its answer. `<!-- file: … -->` before a block: it is that file. `<!-- types -->` before one of
 * TypeScript: test/contract/guide-types.test.ts compiles it.
 */
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sink } from '../../fakes/sink.js';
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
      if (mark === 'types') expect(language).toBe('ts');
      else if (file === undefined)
        expect([mark, language]).toEqual([expect.stringMatching(/^(first|run|run until)$/), 'sh']);
      else expect(text).toBe(read(file));
    }
  });

  test('the example of the Python SDK is in its guide', () => {
    const marks = blocksOf(read('docs/guides/python-sdk.md')).map(({ mark }) => mark);
    expect(marks).toContain('file: examples/python/budget_agent.py');
  });

  test('the example of the TypeScript SDK is in its guide', () => {
    const marks = blocksOf(read('docs/guides/typescript-sdk.md')).map(({ mark }) => mark);
    expect(marks).toContain('file: examples/typescript/guarded-agent.ts');
  });
});

/** What a guide tells to run is run, one after the other, as it tells one story. */
function follow(
  guide: string,
  variables: (sink: Sink) => Readonly<Record<string, string>>,
): { readonly sink: () => Sink } {
  let service: TestService | undefined;
  const blocks = blocksOf(read(`docs/guides/${guide}`));
  const first = blocks.find(({ mark }) => mark === 'first')?.text ?? '';
  const steps = blocks.filter(({ mark }) => mark.startsWith('run'));

  beforeAll(async () => {
    service = await startTestService({ variables });
  });
  afterAll(async () => {
    await service?.stop();
  });

  test('has something to run', () => {
    expect(steps.length).toBeGreaterThan(4);
  });

  test.each(steps)('line $line: $mark', async ({ mark, text, answer }) => {
    const attempt = async (): Promise<void> => {
      const printed = await shell(`${first}\n${text}`);
      if (answer !== undefined) expect(JSON.parse(printed)).toMatchObject(JSON.parse(answer));
    };
    if (mark === 'run until') await expect.poll(attempt, { timeout: 20_000 }).toBeUndefined();
    else await attempt();
  });

  async function shell(script: string): Promise<string> {
    const { url, apiKey, dataDir } = service!;
    const env = {
      ...{ PATH: process.env['PATH'], HOME: process.env['HOME'] },
      ...{ KAVACH_URL: url, KAVACH_API_KEY: apiKey, KAVACH_DATA_DIR: dataDir },
    };
    const options = { env, cwd: fileURLToPath(ROOT) };
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], options);
    return stdout;
  }
  return { sink: () => service!.sink };
}

describe('what the HTTP guide says to run', () => {
  const { sink } = follow('http.md', ({ url }) => ({
    AGENTKAVACH_SLACK_WEBHOOK_URL: `${url}/slack/team`,
  }));

  test('the addresses it names have got what it says, once', async () => {
    const alerts = () =>
      sink()
        .messages()
        .filter(({ body }) => !body.includes('TEST'))
        .map(({ path }) => path);
    await expect.poll(alerts, { timeout: 20_000 }).toHaveLength(2);
    expect(alerts().sort()).toEqual(['/resend/emails', '/slack/team']);
  });
});

describe('what the guide of people says to run', () => {
  const { sink } = follow('people.md', () => ({}));

  test('the address it names has got one code, and nothing else', () => {
    const told = sink().messages();
    expect(told.map(({ channel }) => channel)).toEqual(['email']);
    expect(told[0]?.body).toMatch(/\d{6} is your code/);
  });
});

describe('what the guide of silences says to run', () => {
  const { sink } = follow('silences.md', ({ url }) => ({
    AGENTKAVACH_SLACK_WEBHOOK_URL: `${url}/slack/team`,
  }));

  test('the one alert was told once, when its silence had ended', () => {
    expect(
      sink()
        .messages()
        .map(({ channel }) => channel),
    ).toEqual(['slack']);
  });
});

describe('what the guide of the API says to run', () => {
  follow('api.md', () => ({}));
});

describe('what the guide of notices says to run', () => {
  const { sink } = follow('notices.md', ({ url }) => ({
    AGENTKAVACH_WEBHOOK_URL: `${url}/webhook/own`,
  }));

  test('each was told once, with its words', async () => {
    const told = () => sink().messages('/webhook/own');
    await expect.poll(() => told().length, { timeout: 20_000 }).toBe(2);
    for (const { body } of told()) expect(body).toContain('finished with gaps');
  });
});

describe('what the guide of digests says to run', () => {
  follow('digests.md', () => ({}));
});

describe('what the guide of the channels says to run', () => {
  const { sink } = follow('channels.md', ({ url }) => ({
    AGENTKAVACH_SLACK_WEBHOOK_URL: `${url}/slack/team`,
    AGENTKAVACH_WEBHOOK_URL: `${url}/webhook/own`,
    AGENTKAVACH_PAGERDUTY_ROUTING_KEY: 'R'.repeat(32),
    PAGERDUTY_BASE_URL: `${url}/pagerduty`,
    TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
    TWILIO_AUTH_TOKEN: 'token',
    TWILIO_FROM: '+15551234567',
    TWILIO_BASE_URL: `${url}/twilio`,
  }));

  test('every channel has got a message that says TEST', () => {
    const told = sink().messages();
    const channels = new Set(told.map(({ channel }) => channel));
    expect([...channels].sort()).toEqual(['email', 'pagerduty', 'slack', 'sms', 'webhook']);
    for (const { body, path } of told.filter(({ body }) => !body.includes('"resolve"'))) {
      expect(body, path).toContain('TEST');
    }
  });
});

describe('what the guide of the limits says to run', () => {
  const { sink } = follow('limits.md', ({ url }) => ({
    AGENTKAVACH_SLACK_WEBHOOK_URL: `${url}/slack/team`,
  }));

  test('nobody was alerted: what was spent never reached what held', () => {
    expect(sink().messages()).toEqual([]);
  });
});

describe('what the guide of the leases says to run', () => {
  follow('leases.md', () => ({}));
});

describe('what the guide of the rules says to run', () => {
  const { sink } = follow('rules.md', ({ url }) => ({
    KAVACH_OPERATORS_WEBHOOK_URL: `${url}/webhook/operators`,
  }));

  test('the operators have got one alert', async () => {
    const alerts = () =>
      sink()
        .messages('/webhook/operators')
        .filter(({ body }) => body.includes('high_error_rate'));
    await expect.poll(alerts, { timeout: 20_000 }).not.toHaveLength(0);
    expect(alerts().filter(({ body }) => !body.includes('esolved'))).toHaveLength(1);
  });
});

describe('what the guide of operating says to run', () => {
  follow('operate.md', ({ url }) => ({ AGENTKAVACH_SLACK_WEBHOOK_URL: `${url}/slack/team` }));
});
