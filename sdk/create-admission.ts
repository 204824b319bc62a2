/** What grants and counts, made from a guard's settings: the seam between surface and engine. */
import type { Admission } from './admission.js';
import { createLeasedAdmission } from './engine/admission.js';
import { lateAdmission } from './late-admission.js';
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

/** By the gateway, or without any service. */
export const createDefaultAdmission: CreateAdmission = (setup) =>
  setup.settings.standalone === false ? createLeased(setup) : createAlone(setup);

function createLeased({ settings, document, hasBlockBudget }: AdmissionSetup): Admission {
  return createLeasedAdmission({
    endpoint: settings.endpoint ?? '',
    ...{ apiKey: settings.apiKey, agentName: settings.agentName, runId: settings.runId },
    syncDocument: document,
    ...{ hasBlockBudget, whenUnreachable: settings.whenUnreachable, logger: settings.logger },
    ...(settings.journalDir === false ? {} : { journal: settings.journalDir ?? true }),
    ...(settings.fetch === undefined ? {} : { fetch: settings.fetch }),
  });
}

/** Its rules and channels are loaded for those that use them. */
function createAlone({ settings }: AdmissionSetup): Admission {
  const { agentName, logger } = settings;
  const load = async (): Promise<Admission> => {
    const { createStandaloneAdmission } = await import('./standalone/admission.js');
    return createStandaloneAdmission(settings);
  };
  return lateAdmission({ load, agentName, logger });
}
