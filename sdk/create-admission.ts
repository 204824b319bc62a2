/** What grants and counts, made from a guard's settings: the seam between surface and engine. */
import type { Admission } from './admission.js';
import { syncDocument, type SyncDocument } from './sync-document.js';
import type { Settings } from './settings.js';

export interface AdmissionSetup {
  readonly settings: Settings;
  /** What the first sync sends. */
  readonly document: SyncDocument;
  /** B9. A kill of its own makes its budgets hold calls back. */
  readonly hasBlockBudget: boolean;
}

export type CreateAdmission = (setup: AdmissionSetup) => Admission;

export function admissionSetup(settings: Settings): AdmissionSetup {
  const hasBlockBudget = settings.channels.some(({ type }) => type === 'kill');
  return { settings, document: syncDocument(settings), hasBlockBudget };
}

/** Refuses everything: there is no engine yet. */
export const createDefaultAdmission: CreateAdmission = () => ({
  admit: () => ({
    type: 'refused',
    refusal: { why: 'unreachable', reason: 'unreachable', detail: 'There is no engine yet.' },
  }),
  report: () => undefined,
  status: () => ({ waiting: 0, connected: false }),
  onRefusal: () => undefined,
  onLifted: () => undefined,
  close: () => Promise.resolve(),
});
