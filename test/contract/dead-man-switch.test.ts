/** A15: a watchdog hears from us exactly as long as alerts are decided and sent. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startDeadManSwitch } from '../../worker/dead-man-switch.js';
import { createVirtualTimers } from '../support/virtual-timers.js';

let asked = 0;
let status = 200;
const server = createServer((_request, response) => {
  asked += 1;
  response.writeHead(status).end();
});
let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/secret-path`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  asked = 0;
  status = 200;
});

function rig(isAlive: () => Promise<boolean>, to = url) {
  const timers = createVirtualTimers(0);
  const said: string[] = [];
  const log = {
    warn: (fields: object, message: string) => said.push(`${JSON.stringify(fields)} ${message}`),
  };
  const pinging = startDeadManSwitch({ url: to, everyMs: 60_000, isAlive, log, timers });
  /** The next round, to its end: it goes over a real socket. */
  const round = async (ms = 60_000): Promise<void> => {
    await timers.advance(ms);
    await expect.poll(() => timers.waiting()).toBe(1);
  };
  return { pinging, round, said, timers };
}

test('it is asked at once, and every minute', async () => {
  const { pinging, round } = rig(() => Promise.resolve(true));
  await round(0);
  expect(asked).toBe(1);
  await round();
  await round();
  expect(asked).toBe(3);
  pinging.stop();
});

test('it hears nothing while anything is away, and again when it is back', async () => {
  let alive: () => Promise<boolean> = () => Promise.resolve(false);
  const { pinging, round } = rig(() => alive());
  await round(0);
  alive = () => Promise.reject(new Error('the ledger is away'));
  await round();
  expect(asked).toBe(0);
  alive = () => Promise.resolve(true);
  await round();
  expect(asked).toBe(1);
  pinging.stop();
});

test('one that refuses or is not there is said once, without its address', async () => {
  status = 404;
  const { pinging, round, said } = rig(() => Promise.resolve(true));
  await round(0);
  await round();
  status = 200;
  await round();
  status = 500;
  await round();
  expect(said).toHaveLength(2);
  expect(said[0]).toContain('HTTP 404');
  pinging.stop();
  const nobody = rig(() => Promise.resolve(true), 'http://127.0.0.1:1/secret-path');
  await nobody.round(0);
  expect(nobody.said).toHaveLength(1);
  expect([...said, ...nobody.said].join('\n')).not.toContain('secret-path');
  nobody.pinging.stop();
});

test('one that was stopped says nothing more', async () => {
  const { pinging, round, timers } = rig(() => Promise.resolve(true));
  await round(0);
  pinging.stop();
  await timers.advance(600_000);
  expect(asked).toBe(1);
});
