/** The word to an alert that its cause is over (T7, R3). */
import { getExternalWorkflowHandle } from '@temporalio/workflow';
import { subjectEnded } from './messages.js';

/** An alert that has already ended needs no telling. */
export async function endAlert(alertId: string, at: number): Promise<void> {
  try {
    await getExternalWorkflowHandle(alertId).signal(subjectEnded, { at });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}
