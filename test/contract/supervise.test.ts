/** A part kept alive, and who a campaign kills: with parts that only pretend to be processes. */
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../cli/demo/random.js';
import type { ChildExit } from '../../cli/embedded/guarded-child.js';
import { supervise, type Part, type Running } from '../../cli/set/supervise.js';
import { kindOf, runKiller } from '../../faults/killer.js';

interface FakeLife extends Running {
  end(): void;
}

/** Lives with no process behind them; pids are above what Linux gives. */
function fakeStart(failAt: readonly number[] = []) {
  const lives: FakeLife[] = [];
  let starts = 0;
  const start = (signal: AbortSignal): Promise<Running> => {
    starts += 1;
    signal.throwIfAborted();
    if (failAt.includes(starts)) return Promise.reject(new Error('not now'));
    let end: (exit: ChildExit) => void = () => undefined;
    const exited = new Promise<ChildExit>((resolve) => (end = resolve));
    const life: FakeLife = {
      ...{ pid: 2 ** 30 + lives.length, exited },
      stop: () => {
        end({ code: 0, signal: undefined });
        return Promise.resolve();
      },
      end: () => {
        end({ code: undefined, signal: 'SIGKILL' });
      },
    };
    lives.push(life);
    return Promise.resolve(life);
  };
  return { start, lives, starts: () => starts };
}

describe('a supervised part', () => {
  test('is started again when it ends, until it is stopped', async () => {
    const fake = fakeStart();
    const said: string[] = [];
    const part = await supervise({
      name: 'worker 1',
      start: fake.start,
      say: (line) => said.push(line),
    });
    const first = part.pid();
    fake.lives[0]!.end();
    await fake.lives[0]!.exited;
    await part.serving();
    expect([part.ends(), fake.lives.length]).toEqual([1, 2]);
    expect(part.pid()).not.toBe(first);
    await part.stop();
    expect([part.pid(), part.ends(), fake.starts()]).toEqual([undefined, 1, 2]);
    expect(said).toEqual(['worker 1 ended (SIGKILL) and is started again']);
  });

  test('whose first start fails is not there; later ones are tried until one serves', async () => {
    await expect(supervise({ name: 'x', start: fakeStart([1]).start })).rejects.toThrow('not now');
    const fake = fakeStart([2, 3]);
    const part = await supervise({ name: 'x', start: fake.start });
    fake.lives[0]!.end();
    await fake.lives[0]!.exited;
    await part.serving();
    expect(fake.starts()).toBe(4);
    await part.stop();
  });

  test('that is paused stays away until it is resumed', async () => {
    const fake = fakeStart();
    const part = await supervise({ name: 'x', start: fake.start });
    await part.pause();
    expect(part.pid()).toBeUndefined();
    await part.resume();
    await part.serving();
    expect([part.pid(), part.ends()]).toEqual([fake.lives[1]!.pid, 0]);
    await part.stop();
    await part.stop();
  });
});

describe('the killer', () => {
  const names = ['postgres', 'gateway 1', 'gateway 2', 'gateway 3', 'worker 1'];
  const play = async (seed: number, kills: number, away: readonly string[] = []) => {
    const order: string[] = [];
    const parts = names.map(
      (name) =>
        ({
          name,
          pid: () => (away.includes(name) ? undefined : 1),
          kill: () => Promise.resolve(),
          serving: () => Promise.resolve(),
        }) as unknown as Part,
    );
    const { signal } = new AbortController();
    const onKill = (name: string): void => void order.push(name);
    const options = { parts, kills, everyMs: 0, random: createRandom(seed), signal, onKill };
    return { order, killed: await runKiller(options) };
  };

  test('does the same by the same seed, and another by another', async () => {
    const [a, b, c] = [await play(7, 40), await play(7, 40), await play(8, 40)];
    expect(a.order).toEqual(b.order);
    expect(a.order).not.toEqual(c.order);
    expect([...a.killed.values()].reduce((sum, count) => sum + count, 0)).toBe(40);
  });

  test('KI-1, KI-2: kinds are equally likely, and what is away is passed over', async () => {
    const { order } = await play(1, 300);
    const of = (kind: string) => order.filter((name) => kindOf({ name }) === kind).length;
    for (const kind of ['postgres', 'gateway', 'worker']) expect(of(kind)).toBeGreaterThan(70);
    const without = await play(1, 50, ['postgres']);
    expect(without.order).toHaveLength(50);
    expect(without.order).not.toContain('postgres');
  });
});
