/**
 * One alert as a workflow: its deliveries with their ladders, acknowledged and resolved by
 * updates. Thin: every decision is `domain/alert/reduce.ts`.
 */
import {
  ApplicationFailure,
  continueAsNew,
  getExternalWorkflowHandle,
  proxyActivities,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.js';
import { alertDetails, alertTimerSummary, attemptSummary } from '../domain/alert/details.js';
import type {
  AlertEffect,
  AlertEvent,
  AlertWorkflowInput,
  PartWord,
} from '../domain/alert/events.js';
import type { AlertState } from '../domain/alert/state.js';
import { wordAgainst } from '../domain/alert/holds.js';
import { alertMachine, beginAlert } from '../domain/alert/reduce.js';
import { readPartWord } from '../domain/alert/spread.js';
import { alertStatusOf } from '../domain/alert/status.js';
import { isNothingSent, neverStarted, orElse } from './failures.js';
import {
  acknowledge,
  alertStatus,
  deliveryConfirmed,
  deliveryRevoked,
  partSaid,
  resolve,
  silenceEnded,
  subjectEnded,
  type Actor,
} from './messages.js';
import { createRotation } from './rotation.js';
import { kavachState } from './search-attributes.js';
import { createShell } from './shell.js';

/**
 * A hang of a provider is an outcome at 4 s. A worker that has not been heard of for 3 s is lost,
 * and so is one without an answer after 5 s.
 */
const ATTEMPT = {
  startToCloseTimeout: '5s',
  heartbeatTimeout: '3s',
  retry: { maximumAttempts: 1 },
} as const;

const TOLD_AT_ONCE = 20;

const { journal } = proxyActivities<Activities>({
  startToCloseTimeout: '3s',
  scheduleToCloseTimeout: '10s',
  retry: { initialInterval: '200ms', maximumInterval: '2s' },
});

export async function alert(input: AlertWorkflowInput): Promise<void> {
  const carried =
    input.kind === 'carried' ? input : { state: beginAlert(input.input, Date.now()), outbox: [] };
  const { org, policy } = carried.state.input;
  let shown = carried.state.phase;
  const rotation = createRotation(policy);
  // The first attempt runs where the decision was made; repeats have a queue of their own, so
  // that a slow endpoint cannot starve decisions (architecture.md §4).
  const priority = { fairnessKey: org.slice(0, 64) };
  const first = proxyActivities<Activities>({ ...ATTEMPT, priority });
  const again = proxyActivities<Activities>({
    ...ATTEMPT,
    priority,
    taskQueue: `${workflowInfo().taskQueue}-delivery`,
  });
  const shell = createShell(carried, alertMachine, {
    perform,
    wantsRotation: rotation.wanted,
    onChange: describe,
    timerSummary: alertTimerSummary,
  });
  function describe(state: AlertState): void {
    setCurrentDetails(alertDetails(state));
    if (!policy.searchAttributes || state.phase === shown) return;
    shown = state.phase;
    upsertSearchAttributes([{ key: kavachState, value: shown }]);
  }

  setHandler(
    acknowledge,
    (actor) => {
      shell.dispatch({ type: 'acknowledged', ...readActor(actor) });
      return alertStatusOf(shell.state());
    },
    { validator: refuseUnless(() => shell.state().phase !== 'resolved') },
  );
  setHandler(
    resolve,
    (actor) => {
      shell.dispatch({ type: 'resolved', ...readActor(actor) });
      return alertStatusOf(shell.state());
    },
    { validator: refuseUnless(() => true) },
  );
  setHandler(subjectEnded, (message: unknown) => {
    rotation.countSignal();
    const at = readMoment(message);
    shell.dispatch(at === undefined ? { type: 'rejected' } : { type: 'subjectEnded', at });
  });
  setHandler(deliveryRevoked, (message: unknown) => {
    rotation.countSignal();
    const word = readRevocation(message);
    shell.dispatch(word === undefined ? { type: 'rejected' } : { type: 'revoked', ...word });
  });
  setHandler(deliveryConfirmed, (message: unknown) => {
    rotation.countSignal();
    const { delivery } = (message ?? {}) as { delivery?: unknown };
    shell.dispatch(
      typeof delivery === 'string' ? { type: 'confirmed', delivery } : { type: 'rejected' },
    );
  });
  setHandler(silenceEnded, () => {
    rotation.countSignal();
    shell.dispatch({ type: 'silenceEnded' });
  });
  setHandler(partSaid, (message: unknown) => {
    rotation.countSignal();
    shell.dispatch(readPartWord(message) ?? { type: 'rejected' });
  });
  setDefaultSignalHandler(() => {
    rotation.countSignal();
    shell.dispatch({ type: 'rejected' });
  });
  setHandler(alertStatus, () => alertStatusOf(shell.state()));

  if (input.kind !== 'carried') shell.dispatch({ type: 'began' });
  const end = await shell.run();
  if (end.kind === 'rotate') {
    await continueAsNew<typeof alert>({ kind: 'carried', ...end.carry });
  }

  async function perform(effect: AlertEffect): Promise<AlertEvent> {
    if (effect.type === 'journal') {
      const upTo = effect.entries.at(-1)?.no ?? 0;
      return orElse<AlertEvent>(
        journal
          .executeWithOptions({ summary: `Journal up to entry ${String(upTo)}` }, [
            effect.status,
            effect.entries,
          ])
          .then(() => ({ type: 'journalled', upTo })),
        () => ({ type: 'journalFailed' }),
      );
    }
    if (effect.type === 'tellParts') {
      await tellParts(effect.alerts, effect.word);
      return { type: 'partsTold' };
    }
    const { delivery, attempt } = effect;
    const held = wordAgainst(shell.state(), delivery.purpose);
    if (held !== undefined) {
      const answer = { type: 'suppressed', reason: held } as const;
      return { type: 'attempted', delivery: delivery.id, attempt, answer };
    }
    const { deliver } = attempt === 1 ? first : again;
    return orElse<AlertEvent>(
      deliver
        .executeWithOptions({ summary: attemptSummary(effect) }, [
          { input: effect.input, delivery, attempt },
        ])
        .then((answer) => ({ type: 'attempted', delivery: delivery.id, attempt, answer })),
      (failure) =>
        isNothingSent(failure) || neverStarted(failure)
          ? { type: 'attemptNotMade', delivery: delivery.id, attempt, reason: failure.message }
          : { type: 'attemptLost', delivery: delivery.id, attempt },
    );
  }
}

/** A14. A few at a time; a part that is over needs no telling. */
async function tellParts(alerts: readonly string[], word: PartWord): Promise<void> {
  for (let from = 0; from < alerts.length; from += TOLD_AT_ONCE) {
    const some = alerts.slice(from, from + TOLD_AT_ONCE);
    await Promise.all(
      some.map((id) =>
        getExternalWorkflowHandle(id)
          .signal(partSaid, word)
          .catch((error: unknown) => {
            if (!(error instanceof Error)) throw error;
          }),
      ),
    );
  }
}

/** Validators are synchronous: an async one never rejects anything. */
function refuseUnless(allowed: () => boolean): (actor: Actor) => void {
  return (actor) => {
    if (readActor(actor).by === '') {
      throw ApplicationFailure.nonRetryable('by: expected the name of who acts', 'bad_actor');
    }
    if (!allowed()) {
      throw ApplicationFailure.nonRetryable(
        'the alert is already resolved: there is nothing to acknowledge',
        'already_resolved',
      );
    }
  };
}

function readActor(actor: unknown): Actor {
  const { by, note } = (actor ?? {}) as { by?: unknown; note?: unknown };
  return {
    by: typeof by === 'string' ? by.slice(0, 200) : '',
    ...(typeof note === 'string' ? { note: note.slice(0, 1000) } : {}),
  };
}

function readRevocation(message: unknown): { delivery: string; reason: string } | undefined {
  const { delivery, reason } = (message ?? {}) as { delivery?: unknown; reason?: unknown };
  if (typeof delivery !== 'string') return undefined;
  return { delivery, reason: typeof reason === 'string' ? reason : 'revoked by the provider' };
}

function readMoment(message: unknown): number | undefined {
  const { at } = (message ?? {}) as { at?: unknown };
  return typeof at === 'number' && Number.isSafeInteger(at) && at >= 0 ? at : undefined;
}
