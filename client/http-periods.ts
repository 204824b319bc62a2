/** Asks a gateway which periods an agent's usage counts in, for a direct reporter. */
import { ANY_RUN, type ReporterPeriod } from './reporter-period.js';

export interface HttpPeriodsOptions {
  /** Of the gateway: `https://kavach.example`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly agent: string;
  /** Default 5 s. */
  readonly timeoutMs?: number;
}

/** A `periods` function for `createReporter`. It rejects with the agent, the cause and the status. */
export function httpPeriods(options: HttpPeriodsOptions): () => Promise<readonly ReporterPeriod[]> {
  const url = new URL('/v1/periods', options.baseUrl);
  url.searchParams.set('agent', options.agent);
  // What holds for any run: the reporter makes each run's period from it.
  url.searchParams.set('run', ANY_RUN);
  const failed = (why: string, cause?: unknown): Error =>
    new Error(`The periods of ${options.agent} could not be read from ${url.origin}: ${why}.`, {
      cause,
    });
  return async () => {
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(url, {
        headers: { authorization: `Bearer ${options.apiKey}`, accept: 'application/json' },
        redirect: 'error',
        signal: AbortSignal.timeout(options.timeoutMs ?? 5_000),
      });
      answer = await response.json();
    } catch (error) {
      throw failed(error instanceof Error ? error.message : 'no answer', error);
    }
    if (response.status === 401) throw failed('the API key is not accepted');
    if (!response.ok) throw failed(`HTTP ${String(response.status)}`);
    const periods = periodsIn(answer);
    if (periods === undefined) {
      throw failed('expected {periods: [{key, window, name, limits, notify}]}');
    }
    return periods;
  };
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
