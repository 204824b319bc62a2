/** L4. Where a guard keeps its journal when nobody says where. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { AgentKavach } from '../../sdk/index.js';
import { stateFolder } from '../../sdk/engine/disk.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { startGateway } from './sdk-engine-kit.js';

test('the folder of state is the one of XDG, where that is absolute, else below the home', () => {
  expect(stateFolder({ XDG_STATE_HOME: '/var/state' })).toBe(join('/var/state', 'agentkavach'));
  const own = join(homedir(), '.local', 'state', 'agentkavach');
  expect(stateFolder({})).toBe(own);
  expect(stateFolder({ XDG_STATE_HOME: 'state' })).toBe(own);
});

/** Makes one call, and says what was logged. */
async function useGuard(journalDir?: string | false): Promise<string[]> {
  const gateway = await startGateway({ limits: { cost_nano_usd: 1_000_000_000 } });
  const warned: string[] = [];
  const guard = new AgentKavach({
    ...{ apiKey: 'kv_test', agentName: 'bot', endpoint: gateway.url, journalDir },
    logger: { warn: (message) => warned.push(message) },
  });
  await guard.call({ model: 'a', usd: 0.01, tokens: 10 }, (bill) => {
    bill({ inputTokens: 1, outputTokens: 1, usd: 0.01 });
  });
  await guard.close({ timeoutMs: 2_000 });
  expect(gateway.book.events).toHaveLength(1);
  return warned;
}

function setVariables(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}

describe('a guard without a journalDir', () => {
  test('keeps its journal in AGENTKAVACH_JOURNAL_DIR', async () => {
    const folder = join(temporaryFolder(), 'journals');
    setVariables({ AGENTKAVACH_JOURNAL_DIR: folder });
    expect(await useGuard()).toEqual([]);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('without the variable keeps it where the user keeps state', async () => {
    const state = temporaryFolder();
    setVariables({ AGENTKAVACH_JOURNAL_DIR: ' ', XDG_STATE_HOME: state });
    expect(await useGuard()).toEqual([]);
    expect(readdirSync(join(state, 'agentkavach'))).toHaveLength(1);
  });

  test('goes on in memory where the folder cannot be used, and says so once', async () => {
    const file = join(temporaryFolder(), 'a-file');
    writeFileSync(file, '');
    setVariables({ AGENTKAVACH_JOURNAL_DIR: file });
    const warned = await useGuard();
    expect(warned).toEqual([expect.stringContaining('journalDir')]);
  });

  test('keeps none where its author wants none', async () => {
    const folder = join(temporaryFolder(), 'journals');
    setVariables({ AGENTKAVACH_JOURNAL_DIR: folder });
    expect(await useGuard(false)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });
});
