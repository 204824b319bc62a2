/**
 * The real Python SDK: an environment with `agentkavach` as PyPI has it, made once and kept in the
 * cache folder, and an example running in it, to which a test puts its questions one by one.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheFolder } from '../../cli/embedded/temporal-binary.js';
import { until } from './service-kit.js';

export const SDK_VERSION = '2.1.0';

const run = promisify(execFile);

/** The interpreter of the environment. Without Python or PyPI it throws and says how to get them. */
export async function pythonWithSdk(env = process.env): Promise<string> {
  const cache = cacheFolder(env);
  const kept = join(cache, `python-${SDK_VERSION}`);
  const interpreterIn = (folder: string): string => join(folder, 'bin', 'python');
  if (existsSync(interpreterIn(kept))) return interpreterIn(kept);
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, 'python-draft-'));
  try {
    await run('python3', ['-m', 'venv', draft]);
    const packages = [`agentkavach==${SDK_VERSION}`, 'openai'];
    await run(interpreterIn(draft), ['-m', 'pip', 'install', '--quiet', ...packages]);
    renameSync(draft, kept);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Another run was faster.
    if (existsSync(interpreterIn(kept))) return interpreterIn(kept);
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The Python SDK could not be installed, so nothing is known about it: this test needs ` +
        `python3 (3.9 or newer) with its venv module (Debian: apt install python3-venv) and a ` +
        `package index that has agentkavach ${SDK_VERSION} (PIP_INDEX_URL names another). ${cause}`,
      { cause: error },
    );
  }
  return interpreterIn(kept);
}

export interface AgentOptions {
  readonly python: string;
  /** Of the gateway. */
  readonly backendUrl: string;
  readonly apiKey: string;
  /** Of the fake model provider. */
  readonly llmUrl: string;
  readonly slackUrl: string;
  readonly budgetUsd: number;
  /** One of several that share the budget: `team_agent.py` under this name. */
  readonly teamName?: string;
  /** The SDK keeps events it could not send there. */
  readonly home: string;
}

export interface RunningAgent {
  /** Everything it has said. */
  readonly lines: readonly string[];
  /** What it answers to one question: `answer: …` or `refused: …`. */
  ask(question?: string): Promise<string>;
  /** Asks on until an answer starts so; throws after `withinMs`. */
  askUntil(start: string, withinMs: number): Promise<string>;
  /** No more questions: it flushes and ends. Resolves with what it spent by its own book, USD. */
  finish(): Promise<number>;
  kill(): Promise<void>;
}

const EXAMPLES = new URL('../../examples/python/', import.meta.url);

export function startAgent(options: AgentOptions): RunningAgent {
  const { teamName } = options;
  const example = teamName === undefined ? 'budget_agent.py' : 'team_agent.py';
  const child = spawn(options.python, [fileURLToPath(new URL(example, EXAMPLES))], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Bare on purpose: under PYTEST_CURRENT_TEST the SDK would not sync.
    env: {
      PATH: process.env['PATH'],
      HOME: options.home,
      AGENTKAVACH_BACKEND_URL: options.backendUrl,
      AGENTKAVACH_API_KEY: options.apiKey,
      OPENAI_BASE_URL: `${options.llmUrl}/v1`,
      OPENAI_API_KEY: 'sk-fake',
      AGENTKAVACH_SLACK_WEBHOOK_URL: options.slackUrl,
      AGENTKAVACH_PAGERDUTY_ROUTING_KEY: 'R0123456789abcdef0123456789abcde',
      DAILY_BUDGET_USD: String(options.budgetUsd),
      TEAM_BUDGET_USD: String(options.budgetUsd),
      ...(teamName === undefined ? {} : { AGENT_NAME: teamName }),
      // It looks for OpenAI's tokenizer on the network: refused at once, it estimates.
      HTTPS_PROXY: 'http://127.0.0.1:9',
    },
  });
  const lines: string[] = [];
  let said = '';
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (said = (said + text).slice(-4_000)));
  let end: string | undefined;
  const exited = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      end = error.message;
      resolve();
    });
    child.on('close', (code, signal) => {
      end = `it ended with ${String(code ?? signal)}`;
      resolve();
    });
  });
  const replies = (): string[] => lines.filter((line) => /^(answer|refused): /.test(line));
  let asked = 0;
  const ask: RunningAgent['ask'] = async (question = 'How are you?') => {
    asked += 1;
    const no = asked;
    child.stdin.write(`${question}\n`);
    return until(`the agent's reply ${no}`, () => {
      if (end !== undefined) throw new Error(`The agent did not reply: ${end}\n${said}`);
      return replies()[no - 1];
    });
  };
  return {
    lines,
    ask,
    askUntil: async (start, withinMs) => {
      const found = () => ask().then((reply) => reply.startsWith(start) && reply);
      return until(`a reply that starts with ${JSON.stringify(start)}`, found, withinMs);
    },
    finish: async () => {
      child.stdin.end();
      await exited;
      const spent = /^spent: \$(.+)$/.exec(lines.at(-1) ?? '')?.[1];
      if (spent === undefined) throw new Error(`The agent did not finish: ${String(end)}\n${said}`);
      return Number(spent);
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
