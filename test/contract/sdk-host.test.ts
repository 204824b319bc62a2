/** A guard is a guest: it keeps no process alive, handles no signals, and says nothing unasked. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const entry = new URL('../../sdk/index.ts', import.meta.url).href;
const GUEST = `
  const { AgentKavach } = await import(${JSON.stringify(entry)});
  const before = process.eventNames().sort().join();
  const options = { apiKey: 'ak', llmKey: 'sk', agentName: 'bot', endpoint: 'http://127.0.0.1:9' };
  const guard = new AgentKavach(options);
  guard.record({ model: 'gpt-4o', inputTokens: 1, outputTokens: 1 });
  await guard.create({ model: 'gpt-4o', messages: [] }).catch(() => undefined);
  if (process.eventNames().sort().join() !== before) process.exitCode = 3;
`;

test('a process with a guard that nobody closed ends by itself, silently', async () => {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', GUEST],
    { cwd: fileURLToPath(new URL('../..', import.meta.url)), timeout: 50_000 },
  );
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
});
