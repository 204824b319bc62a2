/** R1: what a condition is, where it is wrong, and when it holds. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  appliesTo,
  isConditionFault,
  meets,
  OPERATORS,
  parseCondition,
  type Condition,
  type MetricValue,
} from '../../domain/rule.js';

function read(text: string): Condition {
  const condition = parseCondition(text);
  if (isConditionFault(condition)) throw new Error(condition.message);
  return condition;
}

const holds = (text: string, value: MetricValue): boolean | undefined => meets(read(text), value);

describe('R1: a condition is `metric op value`', () => {
  test.each([
    ['error_rate > 0.05', 'error_rate', '>', 0.05],
    ['error_rate>0.05', 'error_rate', '>', 0.05],
    ['  p99.latency-ms   >=  1e3 ', 'p99.latency-ms', '>=', 1_000],
    ['balance < -.5', 'balance', '<', -0.5],
    ['completed == 1', 'completed', '==', 1],
    ['done == true', 'done', '==', 1],
    ['done != false', 'done', '!=', 0],
    ['status == failed', 'status', '==', 'failed'],
    ['status != "not ok"', 'status', '!=', 'not ok'],
    ["status == 'say \\'hi\\''", 'status', '==', "say 'hi'"],
    ['version == 1.2.3', 'version', '==', '1.2.3'],
    ['größe > 3', 'größe', '>', 3],
  ])('%s', (text, metric, op, value) => {
    expect(read(text)).toMatchObject({ metric, op, value });
  });

  test.each([
    ['', 1, 'the name of a metric'],
    ['   ', 4, 'the name of a metric'],
    ['> 3', 1, 'the name of a metric'],
    ['error_rate', 11, 'one of'],
    ['error_rate 0.05', 12, 'one of'],
    ['error_rate = 0.05', 12, 'one of'],
    ['error_rate >', 13, 'a number'],
    ['error_rate > "open', 14, 'a number'],
    ['error_rate > 0.05 0.06', 19, 'the end'],
    ['error_rate > 0.05 and x < 1', 19, 'the end'],
    ['error_rate > 1e999', 14, 'a number'],
    ['status > failed', 8, 'only == and !='],
    ['status <= "1"', 8, 'only == and !='],
    [`${'x'.repeat(600)} > 1`, 501, 'longer'],
    [`${'x'.repeat(300)} > 1`, 1, 'longer'],
  ])('%s is refused at character %i', (text, position, problem) => {
    const fault = parseCondition(text);
    if (!isConditionFault(fault)) throw new Error('it was read');
    expect(fault).toMatchObject({ code: 'bad_condition', path: 'condition', position });
    expect(fault.message).toContain(problem);
    expect(fault.message).toContain(`character ${String(position)}`);
  });

  test('whatever is written, it is read or refused with a position inside it', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'a',
        '>',
        '<',
        '=',
        '!',
        '"',
        "'",
        '\\',
        ' ',
        '1',
        '-',
        '.',
        'e',
        'true',
        '\0',
      ),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        const condition = parseCondition(text);
        if (!isConditionFault(condition)) return;
        expect(condition.position).toBeGreaterThan(0);
        expect(condition.position).toBeLessThanOrEqual(text.length + 1);
      }),
    );
  });
});

describe('R1: numbers compare as numbers', () => {
  test.each([
    ['x > 1', 2, true],
    ['x > 1', 1, false],
    ['x >= 1', 1, true],
    ['x < 1', 1, false],
    ['x <= 1', 1, true],
    ['x == 1', 1, true],
    ['x != 1', 1, false],
    ['x == 0', -0, true],
    ['x > 9', 10, true],
    ['x == 1', true, true],
    ['x == true', 1, true],
    ['x > 0', false, false],
    ['x == false', false, true],
  ])('%s with %s', (text, value, met) => {
    expect(holds(text, value)).toBe(met);
  });

  test.each([
    ['x == failed', 'failed', true],
    ['x == failed', 'Failed', false],
    ['x != failed', 'ok', true],
    ['x == 404', '404', true],
    ['x == "404"', 404, true],
    ['x != "404"', 500, true],
    ['x == "true"', true, true],
    ['x == true', 'true', true],
  ])('where one side is text both are: %s with %s', (text, value, met) => {
    expect(holds(text, value)).toBe(met);
  });

  test('of text nothing is said where the condition asks for an order', () => {
    for (const op of ['>', '<', '>=', '<=']) expect(holds(`x ${op} 5`, '9')).toBeUndefined();
  });

  test('each operator and its opposite never agree', () => {
    const opposite = {
      '>': '<=',
      '<=': '>',
      '<': '>=',
      '>=': '<',
      '==': '!=',
      '!=': '==',
    } as const;
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.constantFrom(...OPERATORS), number, number, (op, value, metric) => {
        const condition = { metric: 'x', op, value, text: String(value) };
        const other = { ...condition, op: opposite[op] };
        expect(meets(condition, metric)).toBe(meets(other, metric) === false);
      }),
    );
  });
});

test('a rule is about one agent, or with `*` about every one', () => {
  expect(appliesTo({ agent: '*' }, 'a')).toBe(true);
  expect(appliesTo({ agent: 'a' }, 'a')).toBe(true);
  expect(appliesTo({ agent: 'a' }, 'b')).toBe(false);
});
