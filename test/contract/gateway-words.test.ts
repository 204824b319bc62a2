/** Faults of documents, in our words: what was expected, what was there, where. */
import { describe, expect, test } from 'vitest';
import { startTestGateway, syncDocument } from './gateway-kit.js';

const budget = { budget_type: 'cost', period: 'daily', limit_value: 5 };
const many = Array.from({ length: 101 }, () => budget);

describe('a fault of a synced document', () => {
  test.each<[Record<string, unknown>, string, string]>([
    [{ agent_name: undefined }, 'agent_name', 'is missing: expected a string'],
    [{ agent_name: 7 }, 'agent_name', 'expected a string, got a number'],
    [{ agent_name: 'x'.repeat(201) }, 'agent_name', 'expected at most 200 characters'],
    [{ budgets: {} }, 'budgets', 'expected an array, got an object'],
    [{ budgets: many }, 'budgets', 'expected at most 100 entries'],
    [{ budgets: [null] }, 'budgets[0]', 'expected an object, got null'],
    [
      { budgets: [{ ...budget, limit_value: '5' }] },
      'budgets[0].limit_value',
      'expected a number, got a string',
    ],
    [
      { budgets: [{ ...budget, limit_value: 'NaN' }] },
      'budgets[0].limit_value',
      'expected a number, got NaN',
    ],
    [
      { budgets: [{ ...budget, limit_value: 0 }] },
      'budgets[0].limit_value',
      'expected a number of more than 0',
    ],
  ])('%#', async (over, path, words) => {
    const { post } = await startTestGateway();
    const answer = await post('/v1/sync-config', syncDocument(over));
    expect(answer).toMatchObject({ status: 422, body: { path, detail: `${path}: ${words}` } });
  });

  test('a choice names what there is to choose', async () => {
    const { post } = await startTestGateway();
    const { body } = await post('/v1/runs/r', { agent_name: 'a', what: 'paused' });
    expect(body['detail']).toBe(
      'what: expected one of "started", "heartbeat", "ended", got a string',
    );
  });
});
