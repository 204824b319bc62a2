/**
 * Leave for one try of a call, and its one end (L1).
 * LV-1. Guardrails and kills come first, then the worst case is reserved, then the provider is
 *       asked.
 * LV-2. It ends once: settled to what was billed, or at the reservation where nobody knows, or
 *       released where the provider surely did nothing.
 */
import type { Amounts } from '../domain/lease/amounts.js';
import { addSaturating } from '../domain/money.js';
import type { CallReport, Refusal, Reservation } from './admission.js';
import { UNBOUNDED, type Bound } from './bound.js';
import { reservedTokens, type Core } from './core.js';
import type { BilledTokens } from './price.js';
import { errorOfRefusal, errorOfStop } from './refusal-errors.js';

export interface GuardedCall {
  readonly provider: string;
  readonly model: string;
  readonly bound: Bound;
  /** B6. Billed at prices nobody here knows: only its bound says what it cost. */
  readonly unpriced: boolean;
  readonly prompt?: string;
}

export interface Billed {
  readonly tokens: BilledTokens;
  /** As the provider names it, where the asked one has no price. */
  readonly model?: string;
  readonly tool?: string;
  /** Nano-USD, where its author knows better. */
  readonly cost?: number;
}

export interface Leave {
  /** Undefined: nobody knows what was billed, so all that was reserved was. */
  settle(billed: Billed | undefined, status: CallReport['status']): void;
  release(): void;
  readonly ended: Promise<void>;
}

/** Throws what refused the call; the provider is not asked then. */
export async function takeLeave(
  core: Core,
  call: GuardedCall,
  signal?: AbortSignal,
): Promise<Leave> {
  const { agentName } = core.settings;
  const { worst, unbounded } = call.bound;
  refuseHeld(core);
  const reserved = reservedTokens(call.bound, core.settings);
  const stop = core.run.enter(reserved);
  if (stop !== undefined) throw errorOfStop(agentName, stop);
  let reservation: Reservation | undefined;
  try {
    signal?.throwIfAborted();
    const admitted = await core.admission.admit(worst, signal);
    if (admitted.type === 'refused') {
      core.standing.heard(admitted.refusal);
      const why = lacksBound(worst, admitted.refusal) ? unbounded : undefined;
      throw errorOfRefusal(agentName, admitted.refusal, why);
    }
    reservation = admitted.reservation;
    // A kill, or the caller's change of mind, may have come while the lease was asked for.
    refuseHeld(core);
    signal?.throwIfAborted();
  } catch (error) {
    reservation?.release();
    core.run.leave(reserved);
    throw error;
  }
  return openLeave(core, call, reservation, reserved);
}

/** BD-2. It was refused for what nobody can bound, and not for what is used up. */
function lacksBound({ cost, tokens }: Amounts, { budget }: Refusal): boolean {
  if (budget?.dimension === 'cost') return cost === UNBOUNDED;
  if (budget?.dimension === 'tokens_total') return tokens === UNBOUNDED;
  return budget === undefined && (cost === UNBOUNDED || tokens === UNBOUNDED);
}

function refuseHeld({ standing, settings, closed }: Core): void {
  if (closed) {
    throw new Error(`The guard of agent ${settings.agentName} is closed: make a new one.`);
  }
  const held = standing.held();
  if (held !== undefined) throw errorOfRefusal(settings.agentName, held);
}

function openLeave(
  core: Core,
  call: GuardedCall,
  reservation: Reservation,
  reserved: number,
): Leave {
  const at = core.now();
  const startedAt = core.elapsed();
  let isOpen = true;
  let tellEnded: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    tellEnded = resolve;
  });

  function end(): boolean {
    const wasOpen = isOpen;
    isOpen = false;
    core.open.delete(leave);
    tellEnded();
    return wasOpen;
  }

  const leave: Leave = {
    ended,
    settle(billed, status) {
      if (!end()) return;
      const { actual, tokens, cost } = whatItCameTo(core, call, billed, at);
      const { provider, model, prompt } = call;
      const durationMs = Math.max(Math.round(core.elapsed() - startedAt), 0);
      core.spent = addSaturating(core.spent, actual.cost).value;
      reservation.settle(actual, {
        ...{ provider, model, ...tokens, durationMs, status },
        ...(cost === undefined ? {} : { cost }),
        ...(prompt === undefined ? {} : { prompt }),
      });
      core.run.settle({
        ...{ reserved, tokens: actual.tokens },
        ...(status === 'success' ? { pattern: [model, billed?.tool] } : {}),
      });
    },
    release() {
      if (!end()) return;
      reservation.release();
      core.run.leave(reserved);
    },
  };
  core.open.add(leave);
  return leave;
}

interface CameTo {
  readonly actual: Amounts;
  readonly tokens: Pick<CallReport, 'inputTokens' | 'outputTokens'>;
  /** Absent: nobody knows. */
  readonly cost?: number;
}

function whatItCameTo(
  { pricer }: Core,
  { provider, model, bound, unpriced }: GuardedCall,
  billed: Billed | undefined,
  at: number,
): CameTo {
  const { worst } = bound;
  const [inputTokens, outputTokens] =
    billed === undefined
      ? [bound.inputTokens, bound.outputTokens]
      : [billed.tokens.input_tokens, billed.tokens.output_tokens];
  const price = (name: string): number | undefined =>
    pricer.cost(
      { provider, model: name, at },
      billed?.tokens ?? { input_tokens: inputTokens, output_tokens: outputTokens },
    );
  const known = unpriced ? undefined : (price(model) ?? price(billed?.model ?? model));
  const most = worst.cost === UNBOUNDED ? undefined : worst.cost;
  const cost = billed === undefined ? (most ?? known) : (billed.cost ?? known ?? most);
  const total = addSaturating(inputTokens, outputTokens).value;
  return {
    actual: { cost: cost ?? 0, tokens: total, calls: 1 },
    tokens: { inputTokens, outputTokens },
    ...(cost === undefined ? {} : { cost }),
  };
}
