/** A guard is a guest: it keeps no process alive, handles no signals, and says nothing unasked. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const entry = new URL('../../sdk/index.ts', import.meta.url).href;
const guest = (options: string): string => `
  const { AgentKavach } = await import(${JSON.stringify(entry)});
  const before = process.eventNames().sort().join();
  const guard = new AgentKavach({ agentName: 'bot', llmKey: 'sk', ${options} });
  guard.record({ model: 'gpt-4o', inputTokens: 1, outputTokens: 1, usd: 60 });
  await guard.create({ model: 'gpt-4o', messages: [] }).catch(() => undefined);
  if (process.eventNames().sort().join() !== before) process.exitCode = 3;
`;

test.each([
  ['of a service', `apiKey: 'ak', endpoint: 'http://127.0.0.1:9'`],
  ['of its own', `standalone: true, maxRuntimeSeconds: 600, llmBaseUrl: 'http://127.0.0.1:9'`],
])('a process with a guard %s that nobody closed ends by itself, silently', async (_, options) => {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', guest(options)],
    { cwd: fileURLToPath(new URL('../..', import.meta.url)), timeout: 50_000 },
  );
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
});
