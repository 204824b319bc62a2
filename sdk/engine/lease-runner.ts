/**
 * Drives a guard's machine (domain/lease/holder.ts): performs its effects, and tells it what came
 * of them.
 * LR-1. What the machine wants is done in its order, and nothing of it calls back into the machine
 *       before it is done.
 * LR-2. A request is sent as often as the machine says, no oftener: what fails is only told.
 * LR-3. Whatever goes wrong here is a refusal or a line of the log, never an exception.
 * LR-4. A call does not wait for what its leave entails: requests and marks go out once its caller
 *       has gone on, before anything else is heard.
 */
import type { Amounts } from '../../domain/lease/amounts.js';
import type { HolderEffect, HolderEvent, HolderRefusal } from '../../domain/lease/events.js';
import {
  dueInMs,
  heldOf,
  isDone,
  reduceHolder,
  settleCall,
  tryReserve,
} from '../../domain/lease/holder.js';
import type { LeaseAnswer, LeaseBudget } from '../../domain/lease/lease.js';
import type { HolderState } from '../../domain/lease/state.js';
import { causeOf } from './cause.js';
import { textIn } from './ingest-reply.js';
import type { Journal } from './journal.js';
import { askWords, closeWords, readAnswer, readClosed } from './lease-wire.js';
import type { Surroundings } from './surroundings.js';
import type { Reply, Transport } from './transport.js';

/** Leave of the machine; without a lease nothing limits the call. */
export type Leave =
  | { readonly type: 'admitted'; readonly lease?: string }
  | { readonly type: 'refused'; readonly refusal: HolderRefusal };

export interface LeaseRunnerOptions extends Pick<Surroundings, 'clock' | 'timers' | 'logger'> {
  readonly transport: Pick<Transport, 'post'>;
  readonly begin: HolderState;
  /** Absent: nothing is kept. */
  readonly journal?: Journal;
  /** False: the gateway does not know yet what it is to grant from. */
  readonly isSynced: () => boolean;
  readonly onAnswer: (answer: LeaseAnswer) => void;
}

export interface LeaseRunner {
  /** The fast way; undefined: it has to be asked for. */
  tryReserve(worst: Amounts): { readonly lease?: string } | undefined;
  /** Resolves when there is leave, or none. */
  want(worst: Amounts, signal?: AbortSignal): Promise<Leave>;
  /** Undefined: nothing was spent. Answers the number of the call among those of its lease. */
  settle(call: { lease: string; worst: Amounts }, actual: Amounts | undefined): number | undefined;
  tell(event: HolderEvent): void;
  held(): Amounts;
  /** Of the lease that calls start under, as the last answer showed them. */
  budgets(): readonly LeaseBudget[];
  /** Gives everything back; resolves when that is done. Nobody bounds it here. */
  end(): Promise<void>;
  /** Nothing is sent or written any more. */
  stop(): void;
}

const FORGOTTEN: Leave = {
  type: 'refused',
  refusal: { why: 'unreachable', reason: 'The caller gave up before there was leave.' },
};

export function createLeaseRunner(options: LeaseRunnerOptions): LeaseRunner {
  const { transport, timers, logger } = options;
  let state = options.begin;
  let lastId = 0;
  let isPerforming = false;
  let isStopped = false;
  let hasJournal = options.journal !== undefined;
  let timer: { readonly at: number; readonly cancel: () => void } | undefined;
  const heard: HolderEvent[] = [];
  const put: HolderEffect[] = [];
  let isPut = false;
  const callers = new Map<number, { resolve: (leave: Leave) => void }>();
  const enders = new Set<() => void>();

  const now = () => ({ wall: options.clock.wall(), mono: options.clock.mono() });

  const tell = (event: HolderEvent): void => {
    if (isStopped) return;
    heard.push(event);
    if (isPerforming) return;
    for (let next = heard.shift(); next !== undefined; next = heard.shift()) {
      const [after, effects] = reduceHolder(state, next, now());
      apply(after, effects);
    }
  };

  const apply = (after: HolderState, effects: readonly HolderEffect[]): void => {
    state = after;
    isPerforming = true;
    for (const effect of put.splice(0)) perform(effect);
    for (const effect of effects) perform(effect);
    isPerforming = false;
    arm();
    if (enders.size === 0 || !isDone(state)) return;
    for (const ended of enders) ended();
    enders.clear();
  };

  /** LR-4. */
  const applySoon = (after: HolderState, effects: readonly HolderEffect[]): void => {
    state = after;
    if (effects.length === 0 && timer !== undefined) return;
    put.push(...effects);
    if (isPut) return;
    isPut = true;
    queueMicrotask(() => {
      isPut = false;
      apply(state, []);
    });
  };

  /** Early ticks are harmless, so a timer is only set anew for an earlier one. */
  const arm = (): void => {
    const dueMs = dueInMs(state, now());
    if (dueMs === undefined || isStopped) return;
    const at = options.clock.mono() + dueMs;
    if (timer !== undefined && timer.at <= at) return;
    timer?.cancel();
    const cancel = timers.after(Math.max(dueMs, 1), () => {
      timer = undefined;
      tell({ type: 'ticked' });
      arm();
    });
    timer = { at, cancel };
  };

  const perform = (effect: HolderEffect): void => {
    switch (effect.type) {
      case 'admit':
      case 'refuse':
        answerCaller(effect);
        return;
      case 'ask':
        void request(effect.ask.n, '/v1/leases', askWords(effect.ask), (body) => {
          const answer = readAnswer(body);
          if (answer === undefined) return undefined;
          options.onAnswer(answer);
          return { type: 'answered', n: effect.ask.n, answer };
        });
        return;
      case 'close':
        void request(effect.close.n, '/v1/leases/close', closeWords(effect.close), (body) => {
          const closed = readClosed(body);
          return closed && { type: 'closeAnswered', n: effect.close.n, closed };
        });
        return;
      case 'mark':
        void write(effect).then(tell);
    }
  };

  const answerCaller = (effect: Extract<HolderEffect, { type: 'admit' | 'refuse' }>): void => {
    const caller = callers.get(effect.id);
    callers.delete(effect.id);
    if (effect.type === 'refuse') {
      caller?.resolve({ type: 'refused', refusal: effect.refusal });
    } else if (effect.lease === undefined) caller?.resolve({ type: 'admitted' });
    else caller?.resolve({ type: 'admitted', lease: effect.lease });
  };

  /** LR-3. A journal that fails is told, and done without. */
  const write = async ({
    rev,
    record,
  }: Extract<HolderEffect, { type: 'mark' }>): Promise<HolderEvent> => {
    try {
      await options.journal?.write(record);
    } catch (error) {
      if (hasJournal) {
        logger.error(
          { cause: causeOf(error) },
          'the journal cannot be written: what this process holds stays counted if it dies',
        );
      }
      hasJournal = false;
    }
    return { type: 'marked', rev };
  };

  const request = async (
    n: number,
    path: string,
    body: object,
    read: (body: unknown) => HolderEvent | undefined,
  ): Promise<void> => {
    // Its limits are not there yet: it would say that there are none.
    const reply: Reply = options.isSynced()
      ? await transport.post(path, body, { timeoutMs: state.policy.answerMs })
      : await Promise.resolve({ type: 'unreachable', why: 'not synced yet' });
    tell(eventOf(n, reply, read));
  };

  const forget = (id: number): void => {
    const caller = callers.get(id);
    if (caller === undefined) return;
    callers.delete(id);
    caller.resolve(FORGOTTEN);
    tell({ type: 'callForgotten', id });
  };

  return {
    tryReserve: (worst) => {
      if (isStopped) return undefined;
      const reserved = tryReserve(state, worst, now());
      if (reserved === undefined) return undefined;
      applySoon(reserved.state, reserved.effects);
      return reserved.lease === undefined ? {} : { lease: reserved.lease };
    },
    want: (worst, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) {
          resolve(FORGOTTEN);
          return;
        }
        if (isStopped) {
          resolve({ type: 'refused', refusal: { why: 'closed' } });
          return;
        }
        lastId += 1;
        const id = lastId;
        const release = timers.hold();
        const aborted = (): void => {
          forget(id);
        };
        signal?.addEventListener('abort', aborted, { once: true });
        callers.set(id, {
          resolve: (leave) => {
            release();
            signal?.removeEventListener('abort', aborted);
            resolve(leave);
          },
        });
        tell({ type: 'callWanted', id, worst });
      }),
    settle: (call, actual) => {
      const settled = settleCall(state, call, actual, now());
      apply(settled.state, settled.effects);
      return settled.seq;
    },
    tell,
    held: () => heldOf(state),
    budgets: () => state.current?.budgets ?? [],
    end: () =>
      new Promise((resolve) => {
        enders.add(resolve);
        tell({ type: 'ended' });
      }),
    stop: () => {
      isStopped = true;
      timer?.cancel();
      for (const { resolve } of callers.values()) {
        resolve({ type: 'refused', refusal: { why: 'closed' } });
      }
      callers.clear();
    },
  };
}

/** 4xx is an answer, that this will never be taken; but for those that say to come again. */
function eventOf(
  n: number,
  reply: Reply,
  read: (body: unknown) => HolderEvent | undefined,
): HolderEvent {
  if (reply.type === 'unreachable') return { type: 'requestFailed', n };
  if (reply.type === 'answered') return read(reply.body) ?? { type: 'requestFailed', n };
  const { status } = reply;
  if (status === 409) return { type: 'requestStale', n };
  if (!FINAL.has(status)) return { type: 'requestFailed', n };
  const detail = textIn(reply.body, 'detail') ?? 'no reason given';
  return { type: 'requestRejected', n, detail: `HTTP ${String(status)}: ${detail}` };
}

const FINAL = new Set([400, 401, 403, 404, 415, 422]);
