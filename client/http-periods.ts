/** Asks a gateway which periods an agent's usage counts in, for a direct reporter. */
import { askGateway, type AskGatewayOptions } from './ask-gateway.js';
import { ANY_RUN, type ReporterPeriod } from './reporter-period.js';

export type HttpPeriodsOptions = AskGatewayOptions;

/** A `periods` function for `createReporter`. It rejects with the agent, the cause and the status. */
export function httpPeriods(options: HttpPeriodsOptions): () => Promise<readonly ReporterPeriod[]> {
  return askGateway(options, {
    ...{ path: '/v1/periods', what: 'periods' },
    // What holds for any run: the reporter makes each run's period from it.
    query: { run: ANY_RUN },
    ...{ form: '{periods: [{key, window, name, limits, notify}]}', read: periodsIn },
  });
}

function periodsIn(answer: unknown): readonly ReporterPeriod[] | undefined {
  if (typeof answer !== 'object' || answer === null || !('periods' in answer)) return undefined;
  const { periods } = answer;
  return Array.isArray(periods) && periods.every(isPeriod) ? periods : undefined;
}

function isPeriod(value: unknown): value is ReporterPeriod {
  if (typeof value !== 'object' || value === null) return false;
  const { key, window, name, limits } = value as Partial<Record<keyof ReporterPeriod, unknown>>;
  return (
    hasString(key, 'scope') &&
    hasString(key, 'cadence') &&
    hasString(key, 'period') &&
    typeof window === 'object' &&
    window !== null &&
    'startsAt' in window &&
    typeof window.startsAt === 'number' &&
    typeof name === 'string' &&
    typeof limits === 'object' &&
    limits !== null &&
    'limits' in limits &&
    Array.isArray(limits.limits)
  );
}

function hasString(value: unknown, field: string): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Readonly<Record<string, unknown>>)[field] === 'string'
  );
}
