/** The kinds of path a digest can take, each played once on a real server. */
import { ApplicationFailure } from '@temporalio/common';
import { DEFAULT_POLICY, type Policy } from '../../domain/alert/policy.js';
import { NOTHING_SENT } from '../../domain/alert/outcome.js';
import type { DeliverAnswer } from '../../domain/alert/state.js';
import type { DigestWorkflowInput } from '../../domain/digest/state.js';
import { digestWorkflowId } from '../../domain/ids.js';
import { digestWoken } from '../../workflows/messages.js';
import type { Kept, Path } from './path.js';
import type { Stage } from './stage.js';

const QUICK: Policy = { ...DEFAULT_POLICY, ladderMs: [20, 20], retryMs: 30 };
const ACCEPTED: DeliverAnswer = { type: 'sent', outcome: { kind: 'accepted', reason: 'HTTP 200' } };
const BUSY: DeliverAnswer = { type: 'sent', outcome: { kind: 'transient', reason: 'HTTP 503' } };

/** Without a stack, which would name this machine's folders. */
function fails(type: string): never {
  const failure = ApplicationFailure.nonRetryable('the ledger is away', type);
  failure.stack = '';
  throw failure;
}

/** A recipient of an organisation of its own, with so many digests to come. */
async function digest(
  stage: Stage,
  org: string,
  given: {
    readonly digests: number;
    readonly waitMs?: number;
    readonly policy?: Partial<Policy>;
    readonly send?: (attempt: number) => DeliverAnswer;
    readonly end?: (no: number) => void;
    readonly plan?: (no: number) => void;
  },
) {
  const ref = { org, recipient: 'ana', cadence: 'hourly' } as const;
  const workflowId = digestWorkflowId(org, ref.recipient, ref.cadence);
  const { digests, waitMs = 20, policy = {}, send, end, plan } = given;
  let left = digests;
  let plans = 0;
  let ends = 0;
  let claimed = 0;
  stage.answer(org, {
    planDigest: () => {
      plans += 1;
      plan?.(plans);
      return left === 0 ? {} : { dueAt: Date.now() + waitMs };
    },
    claimDigest: () => ({ digest: { id: `${workflowId}/${String((claimed += 1))}`, total: 3 } }),
    sendDigest: ({ attempt }) => send?.(attempt) ?? ACCEPTED,
    endDigest: () => {
      ends += 1;
      end?.(ends);
      left -= 1;
    },
  });
  const args: [DigestWorkflowInput] = [{ kind: 'woken', ref, policy: { ...QUICK, ...policy } }];
  const wake = () =>
    stage.client.workflow.signalWithStart('digest', {
      ...{ workflowId, taskQueue: stage.taskQueue, args },
      ...{ signal: digestWoken, signalArgs: [] },
    });
  const started = await wake();
  const kept = (name: string): Kept => ({ name, workflowId });
  return { workflowId, wake, kept, first: started.signaledRunId, plans: () => plans };
}

export const DIGEST_PATHS: Readonly<Record<string, Path>> = {
  'digest sent': async (stage) => {
    const { kept, workflowId } = await digest(stage, 'digest-sent', { digests: 2 });
    await stage.handle(workflowId).result();
    return [kept('digest-sent')];
  },
  'digest failed': async (stage) => {
    const { kept, workflowId } = await digest(stage, 'digest-failed', {
      digests: 1,
      send: () => BUSY,
      end: (no) => {
        if (no === 1) fails('Away');
      },
    });
    await stage.handle(workflowId).result();
    return [kept('digest-ladder-to-failure')];
  },
  'digest in trouble': async (stage) => {
    let tries = 0;
    const { kept, workflowId } = await digest(stage, 'digest-in-trouble', {
      digests: 1,
      plan: (no) => {
        if (no === 1) fails('Away');
      },
      send: () => {
        tries += 1;
        if (tries === 1) fails(NOTHING_SENT);
        return { type: 'suppressed', reason: 'preference' };
      },
    });
    await stage.handle(workflowId).result();
    return [kept('digest-not-to-be-sent')];
  },
  'digest woken': async (stage) => {
    const { kept, workflowId, wake, plans } = await digest(stage, 'digest-woken', {
      digests: 1,
      waitMs: 700,
    });
    await stage.until('the first plan', () => Promise.resolve(plans() === 1));
    await wake();
    await stage.until('the second plan', () => Promise.resolve(plans() >= 2));
    await stage.handle(workflowId).result();
    return [kept('digest-woken-while-it-waits')];
  },
  'digest rotation': async (stage) => {
    const { first, workflowId } = await digest(stage, 'digest-rotation', {
      digests: 4,
      policy: { rotateAfterEvents: 30 },
    });
    await stage.handle(workflowId).result();
    return [{ name: 'digest-rotation', workflowId, runId: first }];
  },
};
