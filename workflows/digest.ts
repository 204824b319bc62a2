/**
 * The digests of one recipient as a workflow: it sleeps until the local hour, sends one mail, and
 * ends when nothing waits. Thin: every decision is `domain/digest/reduce.ts`.
 */
import {
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.js';
import {
  digestDetails,
  digestEffectSummary,
  digestTimerSummary,
} from '../domain/digest/details.js';
import { digestMachine } from '../domain/digest/reduce.js';
import {
  beginDigest,
  type DigestEffect,
  type DigestEvent,
  type DigestState,
  type DigestWorkflowInput,
} from '../domain/digest/state.js';
import { isNothingSent, neverStarted, orElse } from './failures.js';
import { digestWoken } from './messages.js';
import { createRotation } from './rotation.js';
import { createShell } from './shell.js';

// Every effect ends in an event. A claim of very many items takes the ledger a while.
const { planDigest, claimDigest, endDigest } = proxyActivities<Activities>({
  startToCloseTimeout: '15s',
  scheduleToCloseTimeout: '40s',
  retry: { initialInterval: '200ms', maximumInterval: '2s' },
});

export async function digest(input: DigestWorkflowInput): Promise<void> {
  const carried =
    input.kind === 'carried' ? input : { state: beginDigest(input.ref, input.policy), outbox: [] };
  const { ref, policy } = carried.state;
  const rotation = createRotation(policy);
  // Nobody waits for a digest: it is sent where repeats are, and holds up no decision.
  const { sendDigest } = proxyActivities<Activities>({
    startToCloseTimeout: '8s',
    heartbeatTimeout: '3s',
    retry: { maximumAttempts: 1 },
    priority: { fairnessKey: ref.org.slice(0, 64) },
    taskQueue: `${workflowInfo().taskQueue}-delivery`,
  });
  const shell = createShell<DigestState, DigestEvent, DigestEffect>(carried, digestMachine, {
    perform,
    wantsRotation: rotation.wanted,
    onChange: (state) => {
      setCurrentDetails(digestDetails(state));
    },
    timerSummary: digestTimerSummary,
  });

  setHandler(digestWoken, () => {
    rotation.countSignal();
    shell.dispatch({ type: 'woken' });
  });
  setDefaultSignalHandler(() => {
    rotation.countSignal();
  });

  if (input.kind !== 'carried') shell.dispatch({ type: 'began' });
  const end = await shell.run();
  if (end.kind === 'rotate') {
    await continueAsNew<typeof digest>({ kind: 'carried', ...end.carry });
  }

  async function perform(effect: DigestEffect): Promise<DigestEvent> {
    const options = { summary: digestEffectSummary(effect) };
    const failed = (): DigestEvent => ({ type: 'failed' });
    switch (effect.type) {
      case 'plan':
        return orElse<DigestEvent>(
          planDigest
            .executeWithOptions(options, [effect.ref])
            .then((plan) => ({ type: 'planned', ...plan })),
          failed,
        );
      case 'claim':
        return orElse<DigestEvent>(
          claimDigest
            .executeWithOptions(options, [effect.ref])
            .then((claim) => ({ type: 'claimed', ...claim })),
          failed,
        );
      case 'send':
        return send(effect);
      case 'end':
        return orElse<DigestEvent>(
          endDigest
            .executeWithOptions(options, [effect.ref, effect.digest.id, effect.end])
            .then(() => ({ type: 'written' })),
          failed,
        );
    }
  }

  function send(effect: Extract<DigestEffect, { type: 'send' }>): Promise<DigestEvent> {
    const { type: _send, ...request } = effect;
    const { attempt } = request;
    return orElse<DigestEvent>(
      sendDigest
        .executeWithOptions({ summary: digestEffectSummary(effect) }, [request])
        .then((answer): DigestEvent => {
          if (answer.type === 'sent') return { type: 'sent', attempt, outcome: answer.outcome };
          // A digest is neither held by a silence nor offered to anybody.
          return answer.type === 'suppressed'
            ? { type: 'suppressed', attempt, reason: answer.reason }
            : { type: 'failed' };
        }),
      (failure) =>
        isNothingSent(failure) || neverStarted(failure)
          ? { type: 'failed' }
          : { type: 'attemptLost', attempt },
    );
  }
}
