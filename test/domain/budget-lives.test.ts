/** What holds when a period's workflow is lost and another one begins from the row. */
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import { beginAlert, reduceAlert } from '../../domain/alert/reduce.js';
import { alertInputOf } from '../../domain/budget/alert-input.js';
import { beginBudget, type PeriodRow } from '../../domain/budget/input.js';
import { reduceBudget } from '../../domain/budget/reduce.js';
import type { Published } from '../../domain/budget/state.js';
import { driveBudget, limitsOf, rowWith, totals, T0 } from './budget-driver.js';

const limits = limitsOf(1_000, [
  [5_000, 'slack'],
  [10_000, 'slack', 'kill'],
]);

/** The row as a publish left it. */
function rowAfter(published: Published | undefined, more: Partial<PeriodRow> = {}): PeriodRow {
  if (published === undefined) throw new Error('nothing was published');
  const { latches, firingNo, killed, senders, openAlerts } = published;
  const state = { latches, firingNo, senders, openAlerts };
  return rowWith(limits, { ...state, ...(killed === undefined ? {} : { killed }), ...more });
}

describe('a new life', () => {
  test('L-3: publishes after all that earlier lives published, at the same (epoch, seq) too', () => {
    const first = driveBudget(rowWith(limits));
    for (const cost of [100, 200, 300])
      first.report(totals(1, cost, { sender: `s${String(cost)}` }));
    const last = first.published.at(-1);
    const second = driveBudget(rowAfter(last));
    second.now = first.now + 1_000;
    second.report(totals(1, 400, { sender: 's400' }));
    const order = second.published.at(-1)?.order ?? 0;
    expect(order).toBeGreaterThan(last?.order ?? 0);
  });

  test('K3: raises the alert of a kill whose life was lost between its publish and its alert', () => {
    const first = driveBudget(rowWith(limits));
    first.report(totals(1, 500));
    first.report(totals(2, 1_000));
    const confirmed = first.published.find(({ killed }) => killed !== undefined);
    expect(confirmed).toMatchObject({ firingNo: 1, openAlerts: [{ dimension: 'cost' }] });
    const second = driveBudget(rowAfter(confirmed));
    expect(second.state.killed).toBeDefined();
    second.report(totals(2, 1_000));
    // The same id: had it been raised after all, the second is the first.
    expect(second.alerts.map(({ id }) => id)).toEqual(first.alerts.map(({ id }) => id));
    const third = driveBudget(rowAfter(second.published.at(-1)));
    third.report(totals(2, 1_000));
    expect(third.state.firingNo).toBe(second.state.firingNo);
  });

  test('M-6: raises what is open once more, to the byte, and nothing new', () => {
    const first = driveBudget(rowWith(limits));
    first.report(totals(1, 500));
    first.report(totals(2, 1_000));
    const row = rowAfter(first.published.at(-1));
    const second = driveBudget(row);
    second.report(totals(2, 1_000));
    expect(second.alerts).toEqual(first.alerts);
    // Once a life: it is not repeated by what comes later.
    second.report(totals(3, 1_100));
    expect(second.alerts).toHaveLength(first.alerts.length);
    expect(second.published.at(-1)).toMatchObject({ firingNo: 2, latches: row.latches });
    expect(second.published.at(-1)?.openAlerts).toEqual(row.openAlerts);
    // A row of before does not say what its alerts were raised for.
    const silent = row.openAlerts.map(({ alertId, dimension }) => ({ alertId, dimension }));
    const third = driveBudget({ ...row, openAlerts: silent });
    third.report(totals(2, 1_000));
    expect(third.alerts).toEqual([]);
  });

  test('K3: a kill of the last report is in the row before the row is closed', () => {
    const driver = driveBudget(rowWith(limits));
    driver.report(totals(1, 1_000, { closing: true }));
    const words = driver.published.map(({ killed, closed }) => [killed !== undefined, closed]);
    expect(words.find(([kills]) => kills)).toEqual([true, false]);
    expect(words.at(-1)).toEqual([true, true]);
    expect(driver.state.phase).toBe('closed');
  });

  test('an older report that came while the row was loaded does not hide a newer one', () => {
    const { key, window, name } = rowWith(limits);
    const opening = { key, window, name, limits };
    const begun = beginBudget({ kind: 'open', opening, policy: DEFAULT_POLICY });
    const report = totals(5, 500, { sender: 'sdk' });
    const [told] = reduceBudget(begun, { type: 'reported', report }, T0);
    const row = rowWith(limits, {
      senders: { sdk: { epoch: 1, seq: 7, totals: { cost: 700, tokens: 0, calls: 0 } } },
    });
    const [opened] = reduceBudget(told, { type: 'opened', row }, T0);
    expect(opened.senders['sdk']).toMatchObject({ seq: 7, totals: { cost: 700 } });
    expect(opened.firingNo).toBe(1);
  });
});

describe('an alert', () => {
  test('A-3: an answer of an attempt that is not under way changes nothing', () => {
    const row = rowWith(limits);
    const crossing = { dimension: 'cost', bps: 5_000, limit: 1_000, spent: 500 } as const;
    const input = alertInputOf(
      { ...row, policy: DEFAULT_POLICY, limitsRev: 1 },
      { ...crossing, routes: [{ channel: 'slack' }] },
      1,
      T0,
    );
    const [sending] = reduceAlert(beginAlert(input, T0), { type: 'began' }, T0);
    const answer = { type: 'sent', outcome: { kind: 'accepted', reason: 'ok' } } as const;
    const delivery = sending.deliveries[0]?.id ?? '';
    const [after] = reduceAlert(sending, { type: 'attempted', delivery, attempt: 2, answer }, T0);
    expect(after.deliveries).toEqual(sending.deliveries);
  });
});
