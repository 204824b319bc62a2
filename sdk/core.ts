/** What all calls of one guard share. */
import type { Dimension } from '../domain/words.js';
import type { Admission } from './admission.js';
import type { Bound } from './bound.js';
import {
  admissionSetup,
  createDefaultAdmission,
  type CreateAdmission,
} from './create-admission.js';
import { processEnvironment, type Environment } from './environment.js';
import {
  countCall,
  currentStop,
  enterRun,
  leaveRun,
  NEW_RUN,
  settleRun,
  type Entered,
  type GuardrailStop,
  type RunState,
  type SpentCall,
} from './guardrails.js';
import type { Leave } from './leave.js';
import { createPricer, type Pricer } from './price.js';
import { readSettings, type Settings } from './settings.js';
import { createStanding, type Standing } from './standing.js';

/** What tests bring along; never part of what users touch. */
export interface Seam {
  readonly createAdmission?: CreateAdmission;
  readonly environment?: Environment;
  /** Epoch ms. */
  readonly now?: () => number;
  /** Only ever forward, ms. */
  readonly elapsed?: () => number;
  readonly random?: () => number;
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** The limits of this run, with the kill that passing one is. */
export interface Run {
  enter(tokens: number): GuardrailStop | undefined;
  leave(reserved: number): void;
  settle(call: Omit<SpentCall, 'now'>): void;
  count(call: Omit<SpentCall, 'now' | 'reserved'>): void;
  stop(): GuardrailStop | undefined;
  state(): RunState;
}

export interface Core {
  readonly settings: Settings;
  readonly admission: Admission;
  readonly standing: Standing;
  readonly run: Run;
  readonly pricer: Pricer;
  readonly now: () => number;
  readonly elapsed: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Calls that are under way. */
  readonly open: Set<Leave>;
  /** Nano-USD that this process was billed. */
  spent: number;
  closed: boolean;
  /**
   * A fault of the guard itself: with `failOnError` it kills the run and is thrown, else it is
   * logged and the call goes on.
   */
  failed(what: string, error: unknown): void;
}

/** Throws a `ConfigurationError` with every fault of the options. */
export function createCore(options: unknown, seam: Seam): Core {
  const environment = seam.environment ?? processEnvironment();
  const settings = readSettings(options, environment, () => crypto.randomUUID());
  const { agentName, logger, onKill, channels } = settings;
  const kills = channels.flatMap(({ type, budgetType }): Dimension[] =>
    type === 'kill' ? [budgetType] : [],
  );
  const standing = createStanding({ agentName, logger, kills, ...(onKill && { onKill }) });
  const admission = (seam.createAdmission ?? createDefaultAdmission)(admissionSetup(settings));
  admission.onRefusal((refusal) => {
    standing.hold(refusal);
  });
  admission.onLifted(() => {
    standing.lift();
  });
  const elapsed = seam.elapsed ?? (() => performance.now());
  return {
    ...{ settings, admission, standing, elapsed },
    run: createRun(settings, standing, elapsed),
    pricer: createPricer(settings.prices),
    now: seam.now ?? (() => Date.now()),
    random: seam.random ?? (() => Math.random()),
    sleep: seam.sleep ?? sleep,
    open: new Set(),
    spent: 0,
    closed: false,
    failed(what, error) {
      logger.error?.(`A guard of agent ${agentName} failed: ${what}.`, { error });
      if (!settings.failOnError) return;
      standing.kill('internal_error');
      throw error;
    },
  };
}

function createRun(settings: Settings, standing: Standing, elapsed: () => number): Run {
  const limits = settings.guardrails;
  let run: RunState = NEW_RUN;
  function take(next: RunState): void {
    const known = run.stop;
    run = next;
    if (known === undefined && next.stop !== undefined) standing.kill(next.stop.type);
  }
  return {
    enter(tokens) {
      const entered: Entered = enterRun(run, limits, tokens, elapsed());
      take(entered.run);
      return run.stop === undefined ? entered.refused : currentStop(run, elapsed());
    },
    leave(reserved) {
      take(leaveRun(run, reserved));
    },
    settle(call) {
      take(settleRun(run, limits, { ...call, now: elapsed() }));
    },
    count(call) {
      take(countCall(run, limits, { ...call, now: elapsed() }));
    },
    stop: () => currentStop(run, elapsed()),
    state: () => run,
  };
}

/** GR-2. What is reserved in the run: more than its limit says nothing more. */
export function reservedTokens({ worst }: Bound, { guardrails }: Settings): number {
  return Math.min(worst.tokens, guardrails.maxTokens ?? 0);
}

/** Ends early, with the signal's reason, when the call is given up. */
function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', giveUp);
      resolve();
    }, ms);
    if (signal?.aborted === true) giveUp();
    else signal?.addEventListener('abort', giveUp, { once: true });
  });
}
