/**
 * A provider's `create`, guarded. Each try is a call of its own: it takes leave, is made without
 * the client's own retries (L1), and ends in its own settlement.
 */
import { boundCall, UNBOUNDED, type Bound, type RequestSize } from './bound.js';
import type { Core } from './core.js';
import { errorOfStop } from './refusal-errors.js';
import { guardedPromise, type Answered, type GuardedPromise } from './guarded-promise.js';
import { takeLeave, type Billed, type GuardedCall, type Leave } from './leave.js';
import type { Answer, Dialect, StreamReader } from './providers/dialect.js';
import { backoffMs, readFault } from './providers/fault.js';
import { firstText, isFields, type Fields } from './providers/measure.js';
import { answerOf, followStream, isStream } from './providers/stream.js';

export interface GuardedEndpoint {
  readonly dialect: Dialect;
  /** As it is priced and reported. */
  readonly provider: string;
  /** Awaited before leave is taken. */
  readonly ready?: () => Promise<void>;
  /** Asks once. What it throws at once, before it returns, was never sent. */
  readonly send: (request: Fields, options: Fields) => unknown;
  /** Of its client. */
  readonly retries: () => number;
}

export type GuardedCreate = (request: unknown, options?: unknown) => GuardedPromise;

export function guardCreate(core: Core, endpoint: GuardedEndpoint): GuardedCreate {
  return (request, options) =>
    guardedPromise(
      makeCall(core, endpoint, isFields(request) ? request : {}, isFields(options) ? options : {}),
    );
}

async function makeCall(
  core: Core,
  endpoint: GuardedEndpoint,
  request: Fields,
  options: Fields,
): Promise<Answered> {
  await endpoint.ready?.();
  const call = describeCall(core, endpoint, request);
  const sent = endpoint.dialect.prepare(request);
  const { signal: given, maxRetries } = options;
  const signal = given instanceof AbortSignal ? given : undefined;
  const retries = typeof maxRetries === 'number' ? maxRetries : endpoint.retries();
  for (let tries = 0; ; tries += 1) {
    const leave = await takeLeave(core, call, signal);
    try {
      const answer = await answerOf(sendOnce(endpoint, leave, sent, options));
      return takeAnswer(core, endpoint.dialect, request, answer, leave);
    } catch (error) {
      const fault = readFault(error, signal?.aborted === true, core.now());
      if (fault.maybeBilled) leave.settle(undefined, 'error');
      else leave.release();
      if (!fault.retryable || tries >= retries) throw error;
      await core.sleep(fault.retryAfterMs ?? backoffMs(tries, core.random()), signal);
    }
  }
}

function sendOnce(
  { send }: GuardedEndpoint,
  leave: Leave,
  request: Fields,
  options: Fields,
): unknown {
  try {
    return send(request, { ...options, maxRetries: 0 });
  } catch (error) {
    leave.release();
    throw error;
  }
}

const NOT_MEASURED: RequestSize = { runsTools: true, answers: 1, extraOutput: 0, audio: false };

function describeCall(core: Core, endpoint: GuardedEndpoint, request: Fields): GuardedCall {
  const { settings, pricer } = core;
  const { provider, dialect } = endpoint;
  const model = typeof request['model'] === 'string' ? request['model'] : 'unknown';
  let size = NOT_MEASURED;
  let bound: Bound = {
    worst: { cost: UNBOUNDED, tokens: UNBOUNDED, calls: 1 },
    ...{ inputTokens: 0, outputTokens: 0, unbounded: 'the guard could not read it' },
  };
  try {
    size = dialect.size(request);
    bound = boundCall({ provider, model, at: core.now() }, size, pricer, settings.callBound);
  } catch (error) {
    core.failed('the worst case of a call could not be worked out', error);
  }
  const prompt = settings.savePrompts
    ? firstText(request)?.slice(0, 2_048).toWellFormed()
    : undefined;
  return {
    ...{ provider, model, bound, unpriced: size.unpriced !== undefined },
    ...(prompt === undefined ? {} : { prompt }),
  };
}

function takeAnswer(
  core: Core,
  dialect: Dialect,
  request: Fields,
  answer: Answered,
  leave: Leave,
): Answered {
  if (request['stream'] === true && isStream(answer.data)) {
    const reader = dialect.readStream(request);
    const data = followStream(answer.data, reader, () => {
      const billed = billedOf(answerOfStream(reader));
      leave.settle(billed, billed === undefined ? 'partial' : 'success');
    });
    return { ...answer, data };
  }
  const wasStopped = core.run.stop() !== undefined;
  const billed = billedOf(dialect.readAnswer(answer.data));
  leave.settle(billed, billed === undefined ? 'partial' : 'success');
  const stop = core.run.stop();
  // As in the Python SDK the call that closes a loop throws; what other limits end, the next call.
  if (!wasStopped && stop?.type === 'loop') throw errorOfStop(core.settings.agentName, stop);
  return answer;
}

function answerOfStream(reader: StreamReader): Answer {
  const [tokens, model, tool] = [reader.tokens(), reader.model(), reader.tool()];
  return {
    ...(tokens === undefined ? {} : { tokens }),
    ...(model === undefined ? {} : { model }),
    ...(tool === undefined ? {} : { tool }),
  };
}

function billedOf({ tokens, model, tool }: Answer): Billed | undefined {
  if (tokens === undefined) return undefined;
  return {
    tokens,
    ...(model === undefined ? {} : { model }),
    ...(tool === undefined ? {} : { tool }),
  };
}
