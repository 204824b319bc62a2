/** An admission whose code is still on its way: whoever does not use it never loads it. */
import type { Admission, Admitted } from './admission.js';
import { causeOf } from './engine/cause.js';
import type { Logger } from './options.js';

export interface LateAdmissionOptions {
  readonly load: () => Promise<Admission>;
  readonly agentName: string;
  readonly logger: Logger;
}

/** Loads at once. What is asked meanwhile waits; `admit` never throws, also where nothing comes. */
export function lateAdmission({ load, agentName, logger }: LateAdmissionOptions): Admission {
  let opened: Admission | undefined;
  const opening = load().then(
    (admission) => {
      opened = admission;
      return admission;
    },
    (error: unknown) => {
      const fields = { cause: causeOf(error) };
      logger.error?.(`What guards agent ${agentName} standalone could not be loaded.`, fields);
      return undefined;
    },
  );
  const whenOpen = (use: (admission: Admission) => void): void => {
    if (opened !== undefined) use(opened);
    else
      void opening.then((admission) => {
        if (admission !== undefined) use(admission);
      });
  };
  return {
    admit: (worst, signal) =>
      opened?.admit(worst, signal) ??
      opening.then((admission) => admission?.admit(worst, signal) ?? notLoaded(agentName)),
    report(actual, report) {
      whenOpen((admission) => {
        admission.report(actual, report);
      });
    },
    status: () => opened?.status() ?? { waiting: 0, connected: false, standalone: true },
    onRefusal(tell) {
      whenOpen((admission) => {
        admission.onRefusal(tell);
      });
    },
    onLifted(tell) {
      whenOpen((admission) => {
        admission.onLifted(tell);
      });
    },
    close: async (timeoutMs) => (await opening)?.close(timeoutMs),
  };
}

function notLoaded(agentName: string): Admitted {
  const detail = `What guards ${agentName} standalone could not be loaded: see the logger.`;
  return { type: 'refused', refusal: { why: 'unreachable', reason: 'standalone', detail } };
}
