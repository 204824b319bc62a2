/** Who goes first at the ledger: the order of turns, and statements that are planned once. */
import { describe, expect, test } from 'vitest';
import { createPrepared } from '../../ledger/prepared.js';
import { createTurns } from '../../ledger/turns.js';

describe('turns', () => {
  /** The first work holds the only turn until all others wait; answers who ran in which order. */
  async function order(waiting: readonly { name: string; yields?: boolean }[]): Promise<string> {
    const inTurn = createTurns(1);
    const ran: string[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const first = inTurn(() => held);
    const rest = waiting.map(({ name, yields }) =>
      inTurn(() => {
        ran.push(name);
        return Promise.resolve();
      }, yields),
    );
    release();
    await Promise.all([first, ...rest]);
    return ran.join('');
  }

  test('what a crossing needs goes before usage that came earlier', async () => {
    const usage = { name: 'u', yields: true };
    expect(await order([usage, usage, { name: 'a' }, { name: 'b' }])).toBe('abuu');
  });

  test('usage has every fifth turn, however much goes ahead', async () => {
    const usage = { name: 'u', yields: true };
    const others = Array.from({ length: 10 }, () => ({ name: 'x' }));
    expect(await order([usage, usage, ...others])).toBe('xxxxuxxxxuxx');
  });

  test('work that fails gives its turn back', async () => {
    const inTurn = createTurns(1);
    await expect(inTurn(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await inTurn(() => Promise.resolve(1))).toBe(1);
  });
});

describe('prepared statements', () => {
  const SELECT = 'select $1::bigint, $2';

  function session() {
    const known = new Set<string>();
    const sent: string[] = [];
    const fail = (code: string): never => {
      throw Object.assign(new Error(code), { code });
    };
    const send = (text: string): Promise<string> => {
      const words = text.split(/[ (;]+/);
      const [verb = '', name = ''] = words;
      sent.push(verb);
      if (verb === 'execute' && !known.has(name)) fail('26000');
      if (verb === 'prepare') {
        if (known.has(name)) fail('42P05');
        known.add(name);
      }
      return Promise.resolve(text);
    };
    return { known, sent, send: async (text: string) => send(text) };
  }

  test('planned at the first use, and again when the plan is old', async () => {
    const { sent, send } = session();
    let now = 0;
    const run = createPrepared(() => now);
    for (const at of [0, 10_000, 29_999, 30_000]) {
      now = at;
      await run(send, SELECT, [1, 'x']);
    }
    expect(sent).toEqual([
      ...['prepare', 'execute', 'execute', 'execute'],
      ...['prepare', 'deallocate', 'execute'],
    ]);
  });

  test('a database that was started anew is told the statement again', async () => {
    const { known, sent, send } = session();
    const run = createPrepared(() => 0);
    await run(send, SELECT, [1, 'x']);
    known.clear();
    await run(send, SELECT, [1, 'x']);
    expect(sent).toEqual(['prepare', 'execute', 'execute', 'prepare', 'execute']);
  });

  test('nothing a value holds can end its argument', async () => {
    const { send } = session();
    const run = createPrepared(() => 0);
    const call = await run(
      send,
      SELECT,
      [7, "a'); drop table period; --\\", true, undefined].slice(0, 2),
    );
    expect(call).toMatch(
      /^execute kavach_[0-9a-f]{24}\('7', E'a''\); drop table period; --\\\\'\)$/,
    );
  });
});
