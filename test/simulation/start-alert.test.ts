import { describe, expect, test } from 'vitest';
import type { AlertInput, Response } from '../../domain/alert/state.js';
import { createStartAlert } from '../../relay/start-alert.js';
import { inputOf } from '../domain/alert-driver.js';

function stage() {
  const asked: string[] = [];
  const started: AlertInput[] = [];
  let operators: Response['operators'] = [{ channel: 'email', destination: 'ops' }];
  let routes: AlertInput['routes'] = [{ channel: 'push', recipient: 'ana' }];
  const clock = { now: 0 };
  const start = createStartAlert({
    now: () => clock.now,
    ledger: {
      response: (org, { priority, kind }) => {
        asked.push(`${org} ${kind} ${priority}`);
        return Promise.resolve({ operators });
      },
      routeAlert: ({ id }, now) => {
        asked.push(`routes of ${id} at ${String(now)}`);
        return Promise.resolve(routes);
      },
    },
    client: {
      startAlert: (input) => {
        started.push(input);
        return Promise.resolve('started');
      },
    },
  });
  const replaceOperators = (next: Response['operators']): void => {
    operators = next;
  };
  const route = (next: AlertInput['routes']): void => {
    routes = next;
  };
  return { start, asked, started, clock, replaceOperators, route };
}

describe('starting an alert', () => {
  test('A1: what follows its own routes is frozen into it', async () => {
    const { start, started } = stage();
    await start(inputOf(['slack']));
    expect(started[0]?.response?.operators).toEqual([{ channel: 'email', destination: 'ops' }]);
  });

  test('an answer is good for thirty seconds, and for its own priority', async () => {
    const { start, started, asked, clock, replaceOperators } = stage();
    await start(inputOf(['slack'], 8_000));
    replaceOperators([]);
    clock.now = 29_999;
    await start(inputOf(['slack'], 8_000));
    await start(inputOf(['slack'], 10_000));
    clock.now = 30_000;
    await start(inputOf(['slack'], 8_000));
    expect(asked).toEqual([
      'default threshold medium',
      'default threshold critical',
      'default threshold medium',
    ]);
    expect(started.map(({ response }) => response?.operators.length)).toEqual([1, 1, 0, 0]);
  });

  test('P1: whom it is told is frozen into it where it names an audience, and only there', async () => {
    const { start, started, asked } = stage();
    const plain = inputOf(['slack']);
    await start({
      ...plain,
      id: 'of people',
      audience: { recipients: ['ana'], channels: ['push'] },
    });
    await start(plain);
    expect(asked[0]).toBe('routes of of people at 0');
    expect(started.map(({ routes }) => routes)).toEqual([
      [{ channel: 'push', recipient: 'ana' }],
      plain.routes,
    ]);
    expect(asked.filter((each) => each.startsWith('routes'))).toHaveLength(1);
  });

  test('A14: one for very many people starts as several, the first of them last', async () => {
    const { start, started, route } = stage();
    route(Array.from({ length: 450 }, (_, no) => ({ channel: 'push', recipient: String(no) })));
    const audience = { recipients: ['all'], channels: ['push'] } as const;
    const { firing: _none, ...plain } = inputOf([]);
    await start({
      ...{ ...plain, kind: 'rule', id: 'a', audience },
      facts: {
        ...{ kind: 'rule', org: 'acme', agentName: 'bot', rule: 'r', title: 'Errors', lines: [] },
        ...{ severity: 'error', priority: 'high', at: 0 },
      },
    });
    expect(started.map(({ id, routes }) => [id, routes.length])).toEqual([
      ['a/part-2', 200],
      ['a/part-3', 50],
      ['a', 200],
    ]);
  });
});
