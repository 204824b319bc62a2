/** Every message a workflow takes, by name; shared by workflows, client and tests. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { PartWord } from '../domain/alert/events.js';
import type { AlertStatus } from '../domain/alert/view.js';
import type { BudgetStatus } from '../domain/budget/view.js';
import type { Report } from '../domain/budget/report.js';

/** To budgetPeriod: one sender's totals so far. Repeating or reordering changes nothing. */
export const reportTotals = defineSignal<[Report]>('reportTotals');
/** Of budgetPeriod. */
export const status = defineQuery<BudgetStatus>('status');

/** Who acts on an alert, and an optional word why. */
export interface Actor {
  readonly by: string;
  readonly note?: string;
}
/** To alert, from its cause: the period is over (T7). */
export const subjectEnded = defineSignal<[{ readonly at: number }]>('subjectEnded');
/** To alert: the provider took a delivery and now says that it did not arrive (A6). */
export const deliveryRevoked =
  defineSignal<[{ readonly delivery: string; readonly reason: string }]>('deliveryRevoked');
/** To alert: what was offered to somebody has reached him (push). */
export const deliveryConfirmed = defineSignal<[{ readonly delivery: string }]>('deliveryConfirmed');
/** To alert: a silence that may have held it has ended (A13). */
export const silenceEnded = defineSignal('silenceEnded');
/** To alert, from another part of it: a word that holds for all of them (A14). */
export const partSaid = defineSignal<[PartWord]>('partSaid');
/** Of alert: answers its status after the change; twice is once (A9). */
export const acknowledge = defineUpdate<AlertStatus, [Actor]>('acknowledge');
export const resolve = defineUpdate<AlertStatus, [Actor]>('resolve');
export const alertStatus = defineQuery<AlertStatus>('alertStatus');
