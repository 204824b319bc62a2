/** The examples of the TypeScript SDK, each in a process of its own, against a service and a fake LLM. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './service-kit.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface ExampleOptions {
  /** A file of `examples/typescript/`. */
  readonly name: string;
  /** All of its environment, but for `PATH`. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface RunningExample {
  /** Everything it has said. */
  readonly lines: readonly string[];
  /** What it answers to one question: `answer: …` or `refused: …`. */
  ask(question?: string): Promise<string>;
  /** No more questions. Resolves with all it said; throws where it ends in an error. */
  finish(): Promise<readonly string[]>;
  kill(): Promise<void>;
}

export function startExample({ name, variables }: ExampleOptions): RunningExample {
  const file = `examples/typescript/${name}`;
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    // The root, so that the loader finds what `kavach` stands for.
    ...{ cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'] },
    env: { PATH: process.env['PATH'], ...variables },
  });
  const lines: string[] = [];
  let said = '';
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (said = (said + text).slice(-4_000)));
  let end: string | undefined;
  let code: number | null = null;
  const exited = new Promise<void>((resolve) => {
    child.once('close', (status, signal) => {
      code = status;
      end = `it ended with ${String(status ?? signal)}`;
      resolve();
    });
  });
  let asked = 0;
  return {
    lines,
    ask: async (question = 'How are you?') => {
      asked += 1;
      const no = asked;
      child.stdin.write(`${question}\n`);
      return until(`the reply ${String(no)} of ${name}`, () => {
        const reply = lines.filter((line) => /^(answer|refused): /.test(line))[no - 1];
        if (reply === undefined && end !== undefined) {
          throw new Error(`${name} did not reply: ${end}\n${said}`);
        }
        return reply;
      });
    },
    finish: async () => {
      child.stdin.end();
      await exited;
      if (code !== 0) throw new Error(`${name} did not finish: ${String(end)}\n${said}`);
      return lines;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
