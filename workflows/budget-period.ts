/**
 * One budget period as a long-lived workflow: totals in, alerts and the row's state out. Thin:
 * every decision is `domain/budget/reduce.ts`; here are only Temporal's doors.
 */
import {
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.js';
import { budgetDetails, timerSummaryOf } from '../domain/budget/details.js';
import type { BudgetEffect, BudgetEvent } from '../domain/budget/events.js';
import { beginBudget, type BudgetPeriodInput } from '../domain/budget/input.js';
import { readReport } from '../domain/budget/read-report.js';
import type { BudgetState } from '../domain/budget/state.js';
import { budgetMachine } from '../domain/budget/reduce.js';
import { budgetStatusOf } from '../domain/budget/status.js';
import { alertSummary } from '../domain/alert/details.js';
import { endAlert } from './end-alert.js';
import { orElse } from './failures.js';
import { reportTotals, status } from './messages.js';
import { createRotation } from './rotation.js';
import { kavachState } from './search-attributes.js';
import { createShell } from './shell.js';

// Every effect ends in an event: one in flight for ever would hold rotation and every alert.
const { publishPeriod, openPeriod, raiseAlert } = proxyActivities<Activities>({
  startToCloseTimeout: '3s',
  scheduleToCloseTimeout: '10s',
  retry: { initialInterval: '200ms', maximumInterval: '2s' },
});

export async function budgetPeriod(input: BudgetPeriodInput): Promise<void> {
  const carried = input.kind === 'carried' ? input : { state: beginBudget(input), outbox: [] };
  let shown: string | undefined;
  const rotation = createRotation(carried.state.policy);
  const shell = createShell(carried, budgetMachine, {
    perform,
    wantsRotation: rotation.wanted,
    onChange: describe,
    timerSummary: timerSummaryOf,
  });
  function describe(state: BudgetState): void {
    setCurrentDetails(budgetDetails(state, Date.now()));
    const word = state.killed !== undefined ? 'killed' : state.phase;
    if (!state.policy.searchAttributes || word === shown) return;
    if (shown !== undefined || word !== 'open')
      upsertSearchAttributes([{ key: kavachState, value: word }]);
    shown = word;
  }

  setHandler(reportTotals, (message) => {
    rotation.countSignal();
    const report = readReport(message);
    shell.dispatch(
      'problem' in report
        ? { type: 'rejected', reason: report.problem }
        : { type: 'reported', report },
    );
  });
  setDefaultSignalHandler((name) => {
    rotation.countSignal();
    shell.dispatch({ type: 'rejected', reason: `no signal is called ${name}` });
  });
  setHandler(status, () => budgetStatusOf(shell.state(), Date.now()));

  if (input.kind !== 'carried') shell.dispatch({ type: 'began' });
  const end = await shell.run();
  if (end.kind === 'rotate') {
    await continueAsNew<typeof budgetPeriod>({ kind: 'carried', ...end.carry });
  }

  async function perform(effect: BudgetEffect): Promise<BudgetEvent> {
    switch (effect.type) {
      case 'openPeriod':
        return orElse<BudgetEvent>(
          openPeriod(effect.opening).then((row) => ({ type: 'opened', row })),
          () => ({ type: 'openFailed' }),
        );
      case 'publish':
        return orElse<BudgetEvent>(
          publishPeriod
            .executeWithOptions(
              {
                summary: `Publish state to the ledger (firing ${String(effect.published.firingNo)})`,
              },
              [effect.published],
            )
            .then(() => ({ type: 'published', mark: effect.mark, covers: effect.covers })),
          () => ({ type: 'publishFailed' }),
        );
      case 'raiseAlert':
        return orElse<BudgetEvent>(
          raiseAlert
            .executeWithOptions({ summary: `Raise ${alertSummary(effect.input)}`.slice(0, 200) }, [
              effect.input,
            ])
            .then(() => ({ type: 'alertRaised', alertId: effect.input.id })),
          () => ({ type: 'raiseFailed', alertId: effect.input.id }),
        );
      case 'endAlert':
        await endAlert(effect.alertId, effect.at);
        return { type: 'alertEnded', alertId: effect.alertId };
    }
  }
}
