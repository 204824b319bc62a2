/** What a person's word to an alert came to, with the refusals of its validator as values. */
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { AlertStatus } from '../domain/alert/view.js';
import { refuse, type Refusal } from '../domain/refusal.js';

export type UpdateAnswer =
  | { readonly type: 'done'; readonly status: AlertStatus }
  | { readonly type: 'refused'; readonly refusal: Refusal }
  /** No such alert is under way: it never was, or it has ended. The ledger knows which. */
  | { readonly type: 'not_running' };

/** Rejects with whatever says neither done, refused nor gone. */
export async function answerUpdate(update: () => Promise<AlertStatus>): Promise<UpdateAnswer> {
  try {
    return { type: 'done', status: await update() };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { type: 'not_running' };
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    // A validator's refusal: its code travels as the failure's type (reference/style.md §3).
    const { cause } = error;
    if (!(cause instanceof ApplicationFailure)) throw error;
    return { type: 'refused', refusal: refuse(cause.type ?? 'refused', cause.message) };
  }
}
