/** Logs: one line each, readable or JSON, and no credential in any of them. */
import { describe, expect, test } from 'vitest';
import { createLog, prettyLine } from '../../worker/log.js';

function lines(format: 'auto' | 'pretty' | 'json', isTTY: boolean) {
  const written: string[] = [];
  const output = { write: (text: string) => written.push(text), isTTY };
  return { log: createLog({ level: 'info', format }, output), written };
}

test('names that hold credentials are struck out, also inside', () => {
  const { log, written } = lines('json', false);
  const secret = 'not-to-be-seen';
  log.info({ apiKey: secret, headers: { authorization: secret } }, 'asked');
  log.info({ a: { b: { password: secret } }, secrets: [secret] }, 'asked');
  expect(written.join('')).not.toContain(secret);
  expect(written.join('')).toContain('[struck out]');
});

describe('the form', () => {
  test('is JSON where nobody looks, and one line at a terminal', () => {
    const machine = lines('auto', false);
    machine.log.warn({ ms: 3 }, 'late');
    expect(JSON.parse(machine.written[0] ?? '')).toMatchObject({
      level: 'warn',
      ms: 3,
      msg: 'late',
    });
    const person = lines('auto', true);
    person.log.warn({ ms: 3, why: 'a b' }, 'late');
    expect(person.written[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} WARN {2}late ms=3 why="a b"\n$/);
  });

  test('can be chosen', () => {
    const { log, written } = lines('pretty', false);
    log.error({ err: new Error('broken') }, 'stopped');
    expect(written[0]).toMatch(/ERROR stopped\n {2}Error: broken\n {4}/);
  });
});

test('a line that is no JSON stays as it is', () => {
  expect(prettyLine('plain\n')).toBe('plain\n');
});
