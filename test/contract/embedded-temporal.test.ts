import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findTemporal } from '../../cli/embedded/temporal-binary.js';
import { startTemporalServer } from '../../cli/embedded/temporal-server.js';
import { processesOf } from '../support/processes.js';
import { temporaryFolder } from '../support/temporary-folder.js';

let binary = '';
beforeAll(async () => {
  binary = (await findTemporal({ env: process.env, onProgress: console.error })).path;
}, 600_000);

async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function connect(address: string): Promise<Connection> {
  const connection = await Connection.connect({ address });
  onTestFinished(() => connection.close());
  return connection;
}

async function clientOf(address: string): Promise<Client> {
  return new Client({ connection: await connect(address) });
}

describe('the embedded Temporal server', () => {
  test.each([
    ['port', 'KAVACH_TEMPORAL_PORT'],
    ['uiPort', 'KAVACH_TEMPORAL_UI_PORT'],
  ] as const)('a taken %s is said at once, with the setting %s', async (which, setting) => {
    const dataDir = temporaryFolder();
    const port = await takenPort();
    const start = startTemporalServer({ binary, dataDir, [which]: port });
    await expect(start).rejects.toThrow(`Port ${String(port)} on 127.0.0.1 is already in use`);
    await expect(start).rejects.toThrow(setting);
    expect(processesOf(dataDir)).toEqual([]);
  });

  test('a second start goes on with the data of the first', async () => {
    const dataDir = temporaryFolder();
    const said: string[] = [];
    const log = (line: string) => said.push(line);
    const first = await startTemporalServer({ binary, dataDir, log });
    const before = await clientOf(first.address);
    await before.workflow.start('nobodyRunsThis', { taskQueue: 'none', workflowId: 'kept' });
    await first.stop();
    expect(processesOf(dataDir)).toEqual([]);

    const second = await startTemporalServer({ binary, dataDir, log });
    onTestFinished(() => second.stop());
    const after = await clientOf(second.address);
    const kept = await after.workflow.getHandle('kept').describe();
    expect(kept).toMatchObject({ type: 'nobodyRunsThis', status: { name: 'RUNNING' } });
    expect(said).toEqual([]);
  });

  test('keeps histories for 30 days and knows the search attributes', async () => {
    const dataDir = temporaryFolder();
    const server = await startTemporalServer({ binary, dataDir });
    onTestFinished(() => server.stop());
    const connection = await connect(server.address);
    const namespace = await connection.workflowService.describeNamespace({ namespace: 'default' });
    const retention = namespace.config?.workflowExecutionRetentionTtl?.seconds;
    expect(Number(retention)).toBe(30 * 86_400);
    const { operatorService } = connection;
    const operator = await operatorService.listSearchAttributes({ namespace: 'default' });
    expect(Object.keys(operator.customAttributes)).toEqual(
      expect.arrayContaining(['KavachOrg', 'KavachAgent', 'KavachState', 'KavachSeverity']),
    );
    const ui = await fetch(server.uiUrl);
    expect(ui.status).toBe(200);
  });

  test('one folder has one server, and a lock left by a dead process does not count', async () => {
    const dataDir = temporaryFolder();
    const dead = spawnSync('true').pid;
    const lock = { holder: { pid: dead }, owner: { pid: dead } };
    writeFileSync(join(dataDir, 'temporal.lock'), JSON.stringify(lock));
    const first = await startTemporalServer({ binary, dataDir });
    onTestFinished(() => first.stop());
    const second = startTemporalServer({ binary, dataDir });
    await expect(second).rejects.toThrow(
      `in use by process ${String(first.pid)} (started by ${String(process.pid)})`,
    );
    const client = await clientOf(first.address);
    await expect(client.workflow.count()).resolves.toMatchObject({ count: 0 });
  });

  test('a database that a killed first start left unfinished is set aside and said', async () => {
    const dataDir = temporaryFolder();
    writeFileSync(join(dataDir, 'temporal.db'), '');
    const said: string[] = [];
    const server = await startTemporalServer({ binary, dataDir, log: (line) => said.push(line) });
    await server.stop();
    expect(said).toEqual([expect.stringContaining('never finished by an earlier start')]);
    const aside = readdirSync(dataDir).filter((name) => name.includes('.unserved-'));
    expect(aside.length).toBeGreaterThan(0);
  });

  test('a server that never serves is stopped, and the error names its log', async () => {
    const folder = temporaryFolder();
    const dataDir = join(folder, 'data');
    const mute = join(folder, 'mute');
    writeFileSync(mute, '#!/bin/sh\necho I will not serve\nexec tail -f /dev/null\n');
    chmodSync(mute, 0o755);
    const start = startTemporalServer({ binary: mute, dataDir, healthyWithinMs: 300 });
    await expect(start).rejects.toThrow(/not ready within 0\.3 s; its log is .*temporal\.log/);
    await expect(start).rejects.toThrow('I will not serve');
    expect(processesOf(folder)).toEqual([]);
    expect(existsSync(join(dataDir, 'temporal.lock'))).toBe(false);
  });

  test('a log past 10 MB is begun anew', async () => {
    const dataDir = temporaryFolder();
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(join(dataDir, 'temporal.log'), 'x'.repeat(10 * 1024 * 1024 + 1));
    const server = await startTemporalServer({ binary, dataDir });
    await server.stop();
    expect(readFileSync(join(dataDir, 'temporal.log'), 'utf8')).toMatch(/^CLI /);
  });
});
