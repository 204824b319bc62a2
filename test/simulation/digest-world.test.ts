/**
 * P3 over simulated years: the digests' machine on a virtual clock, with items that come at any
 * moment, providers that fail, workers that are lost and rotations in between. The ledger's part is
 * played here by its rules: claimed whole, one at a time, and woken only where nothing waited.
 */
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import { DAY_MS, floorMod, HOUR_MS } from '../../domain/civil.js';
import { digestMachine } from '../../domain/digest/reduce.js';
import { nextDigestAt } from '../../domain/digest/schedule.js';
import {
  beginDigest,
  type ClaimedDigest,
  type DigestEffect,
  type DigestEnd,
  type DigestEvent,
  type DigestPace,
  type DigestState,
} from '../../domain/digest/state.js';
import { localOf } from '../../domain/period.js';
import { createActor, type Actor } from './actor.js';
import { createDice } from './dice.js';
import { createVirtualClock } from './virtual-clock.js';

const START = Date.parse('2025-01-01T00:00Z');
const HOUR = 8;
const ZONES = ['Europe/London', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'];

interface Mail extends ClaimedDigest {
  readonly items: readonly number[];
  /** Of its first attempt. */
  readonly at: number;
  end?: DigestEnd;
}

/** Probabilities. */
interface Trouble {
  /** That an attempt ends otherwise than well. */
  readonly failing: number;
  /** That the ledger does not answer. */
  readonly away: number;
  /** That the workflow vanishes when an item comes, with everything it knows. */
  readonly lost: number;
}

function play(zone: string, cadence: DigestPace, days: number, seed: number, trouble: Trouble) {
  const clock = createVirtualClock(START);
  const dice = createDice(seed);
  const ref = { org: 'acme', recipient: 'ana', cadence } as const;
  const waiting: { readonly id: number; readonly at: number }[] = [];
  const mails: Mail[] = [];
  let open: Mail | undefined;
  const sentKeys: string[] = [];
  let isAwake = false;
  let items = 0;
  let actor: Actor<DigestState, DigestEvent> | undefined;

  const perform = (effect: DigestEffect, done: (event: DigestEvent) => void): void => {
    const answer = (event: DigestEvent): void => {
      const isAway = effect.type !== 'send' && dice.chance(trouble.away);
      clock.after(dice.between(1, 800), () => {
        done(isAway ? { type: 'failed' } : event);
      });
    };
    switch (effect.type) {
      case 'plan': {
        if (waiting.length === 0 && open === undefined) {
          isAwake = false;
          answer({ type: 'planned' });
          return;
        }
        const next = nextDigestAt({ cadence, zone, hour: HOUR }, clock.now());
        answer({ type: 'planned', dueAt: open === undefined ? next : clock.now() });
        return;
      }
      case 'claim': {
        if (open === undefined && waiting.length > 0) {
          const claimed = waiting.splice(0).map(({ id }) => id);
          const digest = { id: `d${String(mails.length)}`, total: claimed.length };
          open = { ...digest, items: claimed, at: clock.now() };
          mails.push(open);
        }
        answer(
          open === undefined
            ? { type: 'claimed' }
            : { type: 'claimed', digest: { id: open.id, total: open.total } },
        );
        return;
      }
      case 'send': {
        const { attempt, digest } = effect;
        expect(digest.total).toBeGreaterThan(0);
        // The ledger knows what was accepted, whoever has forgotten it (A11).
        if (!sentKeys.includes(digest.id) && dice.chance(trouble.failing)) {
          const kind = dice.pick([
            'transient',
            'throttled',
            'ambiguous',
            'lost',
            'not made',
          ] as const);
          if (kind === 'lost') answer({ type: 'attemptLost', attempt });
          else if (kind === 'not made') answer({ type: 'failed' });
          else answer({ type: 'sent', attempt, outcome: { kind, reason: 'no' } });
          return;
        }
        if (!sentKeys.includes(digest.id)) sentKeys.push(digest.id);
        answer({ type: 'sent', attempt, outcome: { kind: 'accepted', reason: 'ok' } });
        return;
      }
      case 'end':
        if (open?.id === effect.digest.id) {
          open.end = effect.end;
          open = undefined;
        }
        answer({ type: 'written' });
    }
  };
  const begin = (): void => {
    actor = createActor(digestMachine, beginDigest(ref, DEFAULT_POLICY), {
      ...{ clock, perform },
      rotates: () => dice.chance(0.1),
      lateness: () => dice.between(0, 50),
      onStep: () => undefined,
    });
    actor.dispatch({ type: 'began' });
  };
  /** As the relay does it: a workflow that runs is told, one that is over begins again. */
  const wake = (): void => {
    clock.after(dice.between(1, 1_500), () => {
      // A signal that meets a workflow at its end begins it again (signal-with-start).
      if (actor?.phase() === 'running') actor.dispatch({ type: 'woken' });
      else begin();
    });
  };
  const add = (): void => {
    items += 1;
    waiting.push({ id: items, at: clock.now() });
    if (!isAwake) {
      isAwake = true;
      wake();
    }
    if (dice.chance(trouble.lost) && actor?.phase() === 'running') {
      actor.lose();
      // The schedule is due again a while after the hour it was planned for.
      clock.after(HOUR_MS, wake);
    }
    clock.after(dice.between(1, 2 * (cadence === 'hourly' ? HOUR_MS : DAY_MS)), () => {
      if (clock.now() < START + days * DAY_MS) add();
    });
  };
  clock.after(1, add);
  clock.runUntil(START + (days + 4) * DAY_MS);
  return { items, mails, waiting, sentKeys };
}

const FINE: Trouble = { failing: 0, away: 0, lost: 0 };
const BAD: Trouble = { failing: 0.4, away: 0.1, lost: 0.01 };

describe.each(ZONES)('P3 in %s', (zone) => {
  test.each<[DigestPace, number]>([
    ['hourly', 400],
    ['daily', 1_500],
  ])('%s digests over %i days: each item in exactly one, at its hour, none empty', (pace, days) => {
    const { items, mails, waiting } = play(zone, pace, days, 7, FINE);
    expect(waiting).toEqual([]);
    expect(mails.flatMap((mail) => mail.items)).toEqual(
      Array.from({ length: items }, (_, i) => i + 1),
    );
    for (const mail of mails) {
      expect(mail.items.length).toBeGreaterThan(0);
      expect(mail.end?.result).toBe('sent');
      const past = floorMod(localOf(zone, mail.at), HOUR_MS);
      expect(past).toBeLessThan(2_000);
      if (pace === 'daily') {
        const hour = Math.floor(floorMod(localOf(zone, mail.at), DAY_MS) / HOUR_MS);
        expect(hour).toBe(HOUR);
      }
    }
    expect(items).toBeGreaterThan(days / 2);
  });
});

test.each([1, 2, 3, 4, 5, 6])(
  'P3: in any trouble (seed %i) each item is in exactly one digest, and each digest is ended once',
  (seed) => {
    const { items, mails, waiting, sentKeys } = play('Europe/London', 'hourly', 200, seed, BAD);
    expect(waiting).toEqual([]);
    expect(mails.flatMap((mail) => mail.items)).toEqual(
      Array.from({ length: items }, (_, i) => i + 1),
    );
    expect(mails.every(({ end }) => end !== undefined)).toBe(true);
    // The ladder's end is a failure that is told; under so much trouble some come to it.
    expect(mails.filter(({ end }) => end?.result === 'sent').length).toBeGreaterThan(
      mails.length / 2,
    );
    for (const mail of mails) {
      if (mail.end?.result === 'failed') expect(sentKeys).not.toContain(mail.id);
    }
  },
);
