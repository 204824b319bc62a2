import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { connectTemporal } from '../../client/connect.js';
import { httpPeriods } from '../../client/http-periods.js';
import { dayPeriod, T0 } from '../simulation/reporter-world.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

interface Seen {
  url: string | undefined;
  authorization: string | undefined;
}

/** A gateway that answers one thing, and what it was asked. */
async function gatewayAnswering(
  status: number,
  body: string,
): Promise<{ url: string; seen: Seen }> {
  const seen: Seen = { url: undefined, authorization: undefined };
  const running = createServer((request, response) => {
    seen.url = request.url;
    seen.authorization = request.headers.authorization;
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  server = running;
  await new Promise<void>((resolve) => running.listen(0, '127.0.0.1', resolve));
  const { port } = running.address() as AddressInfo;
  return { url: `http://127.0.0.1:${String(port)}`, seen };
}

const KEY = 'kv_secret_key';

describe('asking the gateway for periods', () => {
  test('answers what it says', async () => {
    const { url, seen } = await gatewayAnswering(
      200,
      JSON.stringify({ now: T0, periods: [dayPeriod()] }),
    );
    const ask = httpPeriods({ baseUrl: url, apiKey: KEY, agent: 'research bot' });
    expect(await ask()).toEqual([dayPeriod()]);
    expect(seen).toEqual({
      url: '/v1/periods?agent=research+bot&run=*',
      authorization: `Bearer ${KEY}`,
    });
  });

  test.each([
    [401, '{}', 'the API key is not accepted'],
    [503, '{}', 'HTTP 503'],
    [200, '[]', 'expected {periods'],
    [200, '{"periods":[{"key":{}}]}', 'expected {periods'],
    [200, 'not json', 'not valid JSON'],
  ])(
    'a %s with %s is an error that names agent, gateway and cause, not the key',
    async (status, body, cause) => {
      const { url } = await gatewayAnswering(status, body);
      const ask = httpPeriods({ baseUrl: url, apiKey: KEY, agent: 'bot' });
      const error = await ask().then(
        () => new Error('no error'),
        (reason: unknown) => reason as Error,
      );
      expect(error.message).toContain(`The periods of bot could not be read from ${url}`);
      expect(error.message).toContain(cause);
      expect(error.message).not.toContain(KEY);
    },
  );
});

describe('connecting to Temporal', () => {
  test('an address where nobody answers is named, with the next step', async () => {
    const env = { TEMPORAL_ADDRESS: '127.0.0.1:1', TEMPORAL_NAMESPACE: 'ns' };
    await expect(connectTemporal(env, { timeoutMs: 300 })).rejects.toThrow(
      /Temporal at 127\.0\.0\.1:1 \(namespace ns\) cannot be reached: .+ `kavach up`.+TEMPORAL_ADDRESS/,
    );
  });

  test('settings that cannot be read say where to look', async () => {
    const env = { TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml', TEMPORAL_PROFILE: 'prod' };
    await expect(connectTemporal(env, { timeoutMs: 300 })).rejects.toThrow(
      /Temporal settings cannot be read.+TEMPORAL_CONFIG_FILE/,
    );
  });
});
