/**
 * One process with a guard in it, in a world of virtual time: drives the machine as an engine
 * does, over a network that loses, doubles and delays, on a disk that takes its time. It can die
 * at any moment; what its journal and spool hold is what the next life has.
 */
import type { Amounts } from '../../domain/lease/amounts.js';
import type { Clock } from '../../domain/lease/clock.js';
import type { HolderEffect, HolderEvent, HolderRecord } from '../../domain/lease/events.js';
import {
  dueInMs,
  isDone,
  recoverHolder,
  reduceHolder,
  settleCall,
  tryReserve,
  type HolderState,
} from '../../domain/lease/holder.js';
import type { HolderPolicy } from '../../domain/lease/policy.js';
import type { BookEvent, LeaseBook } from './lease-book.js';
import type { Dice } from './dice.js';
import type { VirtualClock } from './virtual-clock.js';

export interface GuardNetwork {
  /** One way, ms. */
  readonly least: number;
  readonly most: number;
  readonly lost: number;
  readonly doubled: number;
  /** The service is away. */
  isDown: boolean;
}

export interface GuardWorld {
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly book: LeaseBook;
  readonly network: GuardNetwork;
  readonly fsyncMs: number;
  readonly flushMs: number;
  /** Requests about leases, repeats included. */
  requests: number;
}

/** What outlives a process. */
export interface GuardDisk {
  record: HolderRecord | undefined;
  readonly spool: Map<string, BookEvent>;
  lives: number;
}

export const newDisk = (): GuardDisk => ({ record: undefined, spool: new Map(), lives: 0 });

export interface Leave {
  readonly lease?: string;
  end(actual: Amounts | undefined): void;
}

export type LeaseGuard = ReturnType<typeof createLeaseGuard>;

export function createLeaseGuard(
  world: GuardWorld,
  input: { holder: string; agent: string; policy: HolderPolicy; disk: GuardDisk },
) {
  const { clock, dice, book, network } = world;
  const { disk, agent } = input;
  disk.lives += 1;
  const life = disk.lives;
  let isAlive = true;
  let wallOff = 0;
  let slept = 0;
  let wakesAt = 0;
  let armedAt = Number.POSITIVE_INFINITY;
  let calls = 0;
  const waiting = new Map<number, { worst: Amounts; told: (leave: Leave | string) => void }>();
  const reported = new Map<string, { upTo: number; stored: Set<number> }>();
  let state: HolderState = recoverHolder(input, disk.record);

  const now = (): Clock => ({
    wall: clock.now() + wallOff,
    mono: Math.max(clock.now(), wakesAt) - slept,
  });
  const later = (ms: number, run: () => void): void => {
    clock.after(ms, () => {
      if (isAlive) run();
    });
  };

  function dispatch(event: HolderEvent): void {
    if (!isAlive) return;
    const [next, effects] = reduceHolder(state, event, now());
    state = next;
    perform(effects);
  }

  function perform(effects: readonly HolderEffect[]): void {
    for (const effect of effects) performOne(effect);
    const due = dueInMs(state, now());
    if (due === undefined || clock.now() + due >= armedAt) return;
    const at = clock.now() + due;
    armedAt = at;
    later(due, () => {
      if (armedAt !== at) return;
      armedAt = Number.POSITIVE_INFINITY;
      dispatch({ type: 'ticked' });
    });
  }

  function performOne(effect: HolderEffect): void {
    switch (effect.type) {
      case 'admit': {
        const call = waiting.get(effect.id)!;
        waiting.delete(effect.id);
        later(0, () => {
          call.told(leaveOf(effect.lease, call.worst));
        });
        return;
      }
      case 'refuse': {
        const call = waiting.get(effect.id)!;
        waiting.delete(effect.id);
        later(0, () => {
          call.told(effect.refusal.why);
        });
        return;
      }
      case 'mark':
        later(world.fsyncMs, () => {
          disk.record = effect.record;
          dispatch({ type: 'marked', rev: effect.rev });
        });
        return;
      case 'ask': {
        const { ask } = effect;
        send(ask.n, () => {
          const answer = book.ask(ask);
          return answer === 'stale'
            ? { type: 'requestStale', n: ask.n }
            : { type: 'answered', n: ask.n, answer };
        });
        return;
      }
      case 'close': {
        const { close } = effect;
        send(close.n, () => {
          const closed = book.close(close);
          return closed === 'stale'
            ? { type: 'requestStale', n: close.n }
            : { type: 'closeAnswered', n: close.n, closed };
        });
      }
    }
  }

  /** The book hears it whether or not its sender still lives. */
  function send(n: number, request: () => HolderEvent): void {
    world.requests += 1;
    const way = (): number => dice.between(network.least, network.most);
    if (network.isDown || dice.chance(network.lost)) {
      if (dice.chance(0.5))
        later(way(), () => {
          dispatch({ type: 'requestFailed', n });
        });
      return;
    }
    const times = dice.chance(network.doubled) ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      clock.after(way(), () => {
        const answer = request();
        if (dice.chance(network.lost)) return;
        later(way(), () => {
          dispatch(answer);
        });
      });
    }
  }

  function leaveOf(lease: string | undefined, worst: Amounts): Leave {
    return {
      ...(lease !== undefined && { lease }),
      end: (actual) => {
        if (!isAlive) return;
        let seq: number | undefined;
        if (lease !== undefined) {
          const settled = settleCall(state, { lease, worst }, actual, now());
          state = settled.state;
          seq = settled.seq;
          perform(settled.effects);
        }
        if (actual === undefined) return;
        calls += 1;
        const key = `${input.holder}-${life}-${calls}`;
        disk.spool.set(key, {
          key,
          agent,
          amounts: actual,
          ...(lease !== undefined && { lease }),
          ...(seq !== undefined && { seq }),
        });
      },
    };
  }

  function flush(): void {
    const batch = [...disk.spool.values()];
    if (batch.length > 0 && !network.isDown && !dice.chance(network.lost)) {
      clock.after(dice.between(network.least, network.most), () => {
        for (const event of batch) book.ingest(event);
        if (dice.chance(network.lost)) return;
        later(dice.between(network.least, network.most), () => {
          taken(batch);
        });
      });
    }
    later(world.flushMs, flush);
  }

  function taken(batch: readonly BookEvent[]): void {
    const touched = new Set<string>();
    for (const event of batch) {
      disk.spool.delete(event.key);
      if (event.lease === undefined || event.seq === undefined) continue;
      const known = reported.get(event.lease) ?? { upTo: 0, stored: new Set<number>() };
      reported.set(event.lease, known);
      known.stored.add(event.seq);
      while (known.stored.delete(known.upTo + 1)) known.upTo += 1;
      touched.add(event.lease);
    }
    for (const lease of touched) {
      dispatch({ type: 'reported', lease, upTo: reported.get(lease)!.upTo });
    }
  }

  later(world.flushMs, flush);
  dispatch({ type: 'ticked' });

  return {
    /** `told` is called with leave, or with why there is none; at once where there is room. */
    call(worst: Amounts, told: (leave: Leave | string) => void): void {
      if (!isAlive) return;
      const reserved = tryReserve(state, worst, now());
      if (reserved !== undefined) {
        state = reserved.state;
        perform(reserved.effects);
        told(leaveOf(reserved.lease, worst));
        return;
      }
      calls += 1;
      waiting.set(calls, { worst, told });
      dispatch({ type: 'callWanted', id: calls, worst });
    },
    dispatch,
    die: (): void => {
      isAlive = false;
      for (const call of waiting.values()) call.told('died');
    },
    isAlive: () => isAlive,
    isDone: () => isDone(state),
    state: () => state,
    stepWall: (ms: number): void => {
      wallOff += ms;
    },
    /** For so long the monotonic clock stands still while the wall goes on, as in a sleep. */
    sleep: (ms: number): void => {
      const from = Math.max(clock.now(), wakesAt);
      wakesAt = from + ms;
      slept += ms;
    },
  };
}
