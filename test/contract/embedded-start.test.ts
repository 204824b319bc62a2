import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startEmbedded } from '../../cli/embedded/embedded.js';
import { freePorts, refuseTakenPort } from '../../cli/embedded/ports.js';
import { findTemporal } from '../../cli/embedded/temporal-binary.js';
import { seedLedger } from '../support/ledger-folder.js';
import { processesOf } from '../support/processes.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const migrate = new URL('../support/no-migrations.ts', import.meta.url).href;
const parent = fileURLToPath(new URL('../support/embedded-parent.ts', import.meta.url));

/** An environment that gives neither server, with the CLI already found. */
let env: NodeJS.ProcessEnv = {};
beforeAll(async () => {
  const { path } = await findTemporal({ env: process.env, onProgress: console.error });
  env = { ...process.env, TEMPORAL_CLI_PATH: path };
  delete env['TEMPORAL_ADDRESS'];
  delete env['DATABASE_URL'];
}, 600_000);

async function fixedPorts(): Promise<{ ports: number[]; settings: NodeJS.ProcessEnv }> {
  const ports = await freePorts(3);
  const settings = {
    KAVACH_TEMPORAL_PORT: String(ports[0]),
    KAVACH_TEMPORAL_UI_PORT: String(ports[1]),
    KAVACH_LEDGER_PORT: String(ports[2]),
  };
  return { ports, settings };
}

async function expectAllFree(ports: readonly number[]): Promise<void> {
  for (const port of ports) await refuseTakenPort({ port, what: 'nobody', setting: 'NONE' });
}

describe('starting what the environment does not give', () => {
  test('with both addresses given nothing is started', async () => {
    const dataDir = temporaryFolder();
    const given = {
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      DATABASE_URL: 'postgres://db/kavach',
    };
    const embedded = await startEmbedded({ dataDir, env: given });
    expect(embedded).toMatchObject({ databaseUrl: 'postgres://db/kavach' });
    expect(embedded.temporal).toBeUndefined();
    expect(embedded.ledgerPid).toBeUndefined();
    expect(processesOf(dataDir)).toEqual([]);
    await embedded.stop();
  });

  test('with one address given only the other is started', async () => {
    const dataDir = temporaryFolder();
    await seedLedger(dataDir);
    const given = { ...env, TEMPORAL_ADDRESS: 'temporal.example:7233' };
    const embedded = await startEmbedded({ dataDir, env: given, migrate });
    onTestFinished(() => embedded.stop());
    expect(embedded.temporal).toBeUndefined();
    expect(embedded.ledgerPid).toBeGreaterThan(0);
    expect(processesOf(dataDir).join('\n')).not.toContain('start-dev');
  });

  test('stop ends both, also twice, and a lost child is told', async () => {
    const dataDir = temporaryFolder();
    await seedLedger(dataDir);
    const embedded = await startEmbedded({ dataDir, env, migrate });
    onTestFinished(() => embedded.stop());
    process.kill(embedded.temporal?.pid ?? 0, 'SIGKILL');
    expect(await embedded.lost).toBe('The embedded Temporal server ended unasked (137)');
    await Promise.all([embedded.stop(), embedded.stop()]);
    expect(processesOf(dataDir)).toEqual([]);
  });

  test('a failure of one stops the other', async () => {
    const dataDir = temporaryFolder();
    await seedLedger(dataDir);
    const { ports, settings } = await fixedPorts();
    const failing =
      'data:text/javascript,export const migratePglite = async () => { throw new Error("no table") }';
    const start = startEmbedded({ dataDir, env: { ...env, ...settings }, migrate: failing });
    await expect(start).rejects.toThrow('no table');
    expect(processesOf(dataDir)).toEqual([]);
    await expectAllFree(ports);
  });

  test('an abort at any moment leaves no process, no port, and data that can be used', async () => {
    const dataDir = temporaryFolder();
    const { ports, settings } = await fixedPorts();
    const order = { dataDir, env: { ...env, ...settings }, migrate };
    for (const afterMs of [0, 40, 150, 300, 700, 1_500]) {
      const abort = new AbortController();
      setTimeout(() => {
        abort.abort(new Error('Ctrl-C'));
      }, afterMs);
      await expect(startEmbedded({ ...order, signal: abort.signal })).rejects.toThrow('Ctrl-C');
      expect(processesOf(dataDir)).toEqual([]);
      await expectAllFree(ports);
    }
    const embedded = await startEmbedded(order);
    await embedded.stop();
    expect(processesOf(dataDir)).toEqual([]);
  }, 180_000);

  test('kill -9 of the process that started them ends both, and the next start goes on', async () => {
    const dataDir = temporaryFolder();
    await seedLedger(dataDir);
    const owner = spawn(process.execPath, ['--import', 'tsx', parent, dataDir], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(owner.stdout, 'data');
    expect(processesOf(dataDir).join('\n')).toContain('start-dev');
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    // Started at once: the ones on their way out are waited for, not taken for owners.
    const embedded = await startEmbedded({ dataDir, env, migrate });
    await embedded.stop();
    expect(processesOf(dataDir)).toEqual([]);
  });

  test('kill -9 of the process that starts them, halfway, leaves none', async () => {
    const dataDir = temporaryFolder();
    const owner = spawn(process.execPath, ['--import', 'tsx', parent, dataDir], { env });
    await expect.poll(() => processesOf(dataDir).length, { timeout: 40_000 }).toBeGreaterThan(2);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    await expect.poll(() => processesOf(dataDir), { timeout: 40_000 }).toEqual([]);
  });
});
