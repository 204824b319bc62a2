/**
 * An admission that keeps its book in memory: one budget over all three amounts. For the SDK's
 * surface, which must get along with any admission that keeps the words of sdk/admission.ts.
 */
import type { Admission, AdmissionStatus, CallReport, Refusal } from '../../sdk/admission.js';
import {
  addAmounts,
  fitsIn,
  NOTHING,
  subtractAmounts,
  type Amounts,
} from '../../domain/lease/amounts.js';

export interface Settled {
  readonly actual: Amounts;
  readonly report: CallReport;
}

export interface MemoryAdmission extends Admission {
  readonly settled: readonly Settled[];
  readonly reported: readonly Settled[];
  /** The worst cases that were asked for. */
  readonly asked: readonly Amounts[];
  readonly reserved: () => Amounts;
  readonly spent: () => Amounts;
  released: number;
  closed: number | undefined;
  /** What the service would tell. */
  kill(refusal: Refusal): void;
  lift(): void;
  /** Runs before each answer to `admit`. */
  before: (() => Promise<void>) | undefined;
}

const NO_LIMIT: Amounts = {
  cost: Number.MAX_SAFE_INTEGER,
  tokens: Number.MAX_SAFE_INTEGER,
  calls: Number.MAX_SAFE_INTEGER,
};

export function memoryAdmission(limits: Partial<Amounts> = {}): MemoryAdmission {
  const limit = { ...NO_LIMIT, ...limits };
  const settled: Settled[] = [];
  const reported: Settled[] = [];
  const asked: Amounts[] = [];
  let spent = NOTHING;
  let reserved = NOTHING;
  let tellRefusal: (refusal: Refusal) => void = () => undefined;
  let tellLifted: () => void = () => undefined;

  const self: MemoryAdmission = {
    ...{ settled, reported, asked, released: 0, closed: undefined, before: undefined },
    reserved: () => reserved,
    spent: () => spent,
    async admit(worst) {
      asked.push(worst);
      await self.before?.();
      if (!fitsIn(addAmounts(addAmounts(spent, reserved), worst), limit)) {
        return { type: 'refused', refusal: refusalOf(worst, spent, limit) };
      }
      reserved = addAmounts(reserved, worst);
      let isOpen = true;
      const end = (): boolean => {
        if (!isOpen) return false;
        isOpen = false;
        reserved = subtractAmounts(reserved, worst);
        return true;
      };
      return {
        type: 'admitted',
        reservation: {
          settle(actual, report) {
            if (!end()) return;
            settled.push({ actual, report });
            spent = addAmounts(spent, actual);
          },
          release() {
            if (end()) self.released += 1;
          },
        },
      };
    },
    report(actual, report) {
      reported.push({ actual, report });
      spent = addAmounts(spent, actual);
    },
    status: (): AdmissionStatus => ({
      ...(limits.cost === undefined
        ? {}
        : { spent: spent.cost, remaining: limit.cost - spent.cost }),
      waiting: 0,
      connected: true,
    }),
    onRefusal(tell) {
      tellRefusal = tell;
    },
    onLifted(tell) {
      tellLifted = tell;
    },
    kill: (refusal) => {
      tellRefusal(refusal);
    },
    lift: () => {
      tellLifted();
    },
    close(timeoutMs) {
      self.closed = timeoutMs;
      return Promise.resolve();
    },
  };
  return self;
}

function refusalOf(worst: Amounts, spent: Amounts, limit: Amounts): Refusal {
  const isCost = addAmounts(spent, worst).cost > limit.cost || limit.calls > spent.calls;
  const name = isCost ? 'cost' : 'calls';
  return {
    why: 'budget',
    reason: name,
    detail: 'the daily budget has no room for this call.',
    budget: { dimension: name, cadence: 'daily', spent: spent[name], limit: limit[name] },
  };
}
