/**
 * The typed face of Temporal, and its only caller from outside a worker.
 *
 * Invariants
 * C-1. A report that met a period whose workflow had ended is `already_ended`, never `delivered`:
 *      signal-with-start then fails without delivering (architecture.md §6).
 * C-2. A period that ended is not begun again, one that failed or was terminated is
 *      (`ALLOW_DUPLICATE_FAILED_ONLY`); an alert is begun once, whatever came of it.
 * C-3. Acknowledging or resolving an alert twice is once (A9): the update's id is its name, so the
 *      server answers a repeat with the first result, even after the alert has ended.
 * C-4. Every call has a deadline; the SDK's own retries happen inside it.
 */
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import type { MatchReport } from '../domain/agent/report.js';
import type { AgentStatus } from '../domain/agent/view.js';
import type { Policy } from '../domain/alert/policy.js';
import type { AlertInput } from '../domain/alert/state.js';
import type { AlertStatus } from '../domain/alert/view.js';
import type { BudgetPeriodInput, PeriodOpening, PeriodRow } from '../domain/budget/input.js';
import type { PeriodKey } from '../domain/budget/period-key.js';
import type { Report } from '../domain/budget/report.js';
import type { BudgetStatus } from '../domain/budget/view.js';
import { agentWorkflowId, budgetWorkflowId, digestWorkflowId } from '../domain/ids.js';
import type { agent as agentRules } from '../workflows/agent.js';
import { digestSummary } from '../domain/digest/details.js';
import type { DigestRef } from '../domain/digest/state.js';
import type { alert } from '../workflows/alert.js';
import type { digest } from '../workflows/digest.js';
import type { budgetPeriod } from '../workflows/budget-period.js';
import {
  acknowledge,
  agentStatus,
  alertStatus,
  deliveryConfirmed,
  deliveryRevoked,
  reportMatches,
  digestWoken,
  reportTotals,
  resolve,
  silenceEnded,
  status,
  type Actor,
} from '../workflows/messages.js';
import { answerUpdate, type UpdateAnswer } from './answer-update.js';
import { grpcStatus } from './failure.js';
import type { Log } from './log.js';
import {
  agentAttributes,
  alertAttributes,
  createAttributesGuard,
  digestAttributes,
  periodAttributes,
} from './search-attributes.js';
import { agentTexts, alertTexts, periodTexts } from './start-texts.js';

export interface KavachClientOptions {
  readonly client: Client;
  readonly taskQueue: string;
  /** Frozen, as it is at that moment, into every period that is started here. */
  readonly policy: Policy;
  readonly log: Log;
  /** How long a worker may hold one workflow task; the server's default is 10 s. */
  readonly workflowTaskTimeoutMs?: number;
  /** Deadline of one call, the SDK's retries included. Default 4 s. */
  readonly callTimeoutMs?: number;
}

/** `already_ended`: the workflow of that period is over, and nothing was delivered. */
export type ReportAnswer = 'delivered' | 'already_ended';

/** The whole history of one run, as `Worker.runReplayHistory` takes it. */
export type WorkflowHistory = Awaited<
  ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>
>;

export interface AgentRef {
  readonly org: string;
  readonly agent: string;
}

/** Methods reject when Temporal did not answer in time or refused; `describeFailure` sorts that. */
export interface KavachClient {
  /** From the ledger's row. `started`: its workflow was begun before. */
  reportPeriod(claim: {
    readonly row: PeriodRow;
    readonly started: boolean;
    readonly report: Report;
  }): Promise<ReportAnswer>;
  /** From a direct sender: the period opens itself from the ledger where nobody has begun it. */
  reportDirect(opening: PeriodOpening, report: Report): Promise<ReportAnswer>;
  /** R2. One sender's counts of matches; whoever counts first begins the agent's workflow. */
  reportMatches(whose: AgentRef, report: MatchReport): Promise<void>;
  startAlert(input: AlertInput): Promise<'started' | 'already'>;
  /** P3. Starts the recipient's digest, or tells the one that runs to look again. */
  wakeDigest(ref: DigestRef): Promise<void>;
  /** Undefined where no such workflow is known (any more). */
  budgetStatus(workflowId: string): Promise<BudgetStatus | undefined>;
  agentStatus(whose: AgentRef): Promise<AgentStatus | undefined>;
  alertStatus(alertId: string): Promise<AlertStatus | undefined>;
  acknowledge(alertId: string, actor: Actor): Promise<UpdateAnswer>;
  resolve(alertId: string, actor: Actor): Promise<UpdateAnswer>;
  /** A6. `not_running`: the alert has ended, and nobody waits for that vote any more. */
  revokeDelivery(
    alertId: string,
    word: { readonly delivery: string; readonly reason: string },
  ): Promise<'told' | 'not_running'>;
  /** A13. A silence that held it has ended: it asks again. `not_running`: it is over. */
  endSilence(alertId: string): Promise<'told' | 'not_running'>;
  /** Push: what was offered has reached somebody. `not_running`: nobody waits for it any more. */
  readonly confirmDelivery: (alertId: string, delivery: string) => Promise<'told' | 'not_running'>;
  /** Undefined where no such workflow is known (any more). */
  history(workflowId: string): Promise<WorkflowHistory | undefined>;
  /** Rejects when the namespace cannot be read within a second. */
  ping(): Promise<void>;
}

/** A facade over one connected client. Holds no connection of its own: whoever made it closes it. */
export function createKavachClient(options: KavachClientOptions): KavachClient {
  const { client, taskQueue, policy } = options;
  const guarded = createAttributesGuard(options.log);
  const callTimeoutMs = options.callTimeoutMs ?? 4_000;
  const inTime = <T>(call: () => Promise<T>, ms = callTimeoutMs): Promise<T> =>
    client.withDeadline(Date.now() + ms, call);
  const startOptions = {
    taskQueue,
    ...(options.workflowTaskTimeoutMs === undefined
      ? {}
      : { workflowTaskTimeout: options.workflowTaskTimeoutMs }),
  };

  const signal = (key: PeriodKey, report: Report): Promise<boolean> =>
    client.workflow
      .getHandle(budgetWorkflowId(key))
      .signal(reportTotals, report)
      .then(() => true, falseIf(WorkflowNotFoundError));

  const signalWithStart = (
    period: PeriodOpening,
    inputWith: (policy: Policy) => BudgetPeriodInput,
    report: Report,
  ): Promise<boolean> =>
    guarded(policy, (frozen) =>
      client.workflow.signalWithStart<typeof budgetPeriod, [Report]>('budgetPeriod', {
        ...startOptions,
        ...periodTexts(period),
        ...(frozen.searchAttributes ? { typedSearchAttributes: periodAttributes(period) } : {}),
        workflowId: budgetWorkflowId(period.key),
        workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
        args: [inputWith(frozen)],
        signal: reportTotals,
        signalArgs: [report],
      }),
    ).then(() => true, falseIf(WorkflowExecutionAlreadyStartedError));

  /** A plain signal is smaller and cheaper; only a period that nobody runs needs its input. */
  const deliver = async (
    period: PeriodOpening,
    inputWith: (policy: Policy) => BudgetPeriodInput,
    report: Report,
    mayRun: boolean,
  ): Promise<ReportAnswer> => {
    if (mayRun && (await signal(period.key, report))) return 'delivered';
    return (await signalWithStart(period, inputWith, report)) ? 'delivered' : 'already_ended';
  };

  const act = (definition: typeof acknowledge, alertId: string, actor: Actor) =>
    answerUpdate(() =>
      inTime(
        () =>
          client.workflow
            .getHandle(alertId)
            .executeUpdate(definition, { args: [actor], updateId: definition.name }),
        10_000,
      ),
    );

  const tell = async (
    alertId: string,
    signalTo: (handle: WorkflowHandle) => Promise<void>,
  ): Promise<'told' | 'not_running'> => {
    const told = await inTime(() =>
      signalTo(client.workflow.getHandle(alertId)).then(() => true, falseIf(WorkflowNotFoundError)),
    );
    return told ? 'told' : 'not_running';
  };

  const orUnknown = <T>(call: () => Promise<T>): Promise<T | undefined> =>
    inTime(call, 10_000).catch((error: unknown) => {
      if (isUnknownWorkflow(error)) return undefined;
      throw error;
    });

  return {
    reportPeriod: ({ row, started, report }) =>
      inTime(() => deliver(row, (kept) => ({ kind: 'row', row, policy: kept }), report, started)),
    reportDirect: ({ key, window, name, limits }, report) => {
      const opening = { key, window, name, limits };
      return inTime(() =>
        deliver(opening, (kept) => ({ kind: 'open', opening, policy: kept }), report, true),
      );
    },
    reportMatches: async ({ org, agent }, report) => {
      await inTime(() =>
        guarded(policy, (frozen) =>
          client.workflow.signalWithStart<typeof agentRules, [MatchReport]>('agent', {
            ...startOptions,
            ...agentTexts({ org, agent }),
            ...(frozen.searchAttributes
              ? { typedSearchAttributes: agentAttributes({ org, agent }) }
              : {}),
            workflowId: agentWorkflowId(org, agent),
            // It ends when nothing is left to wait for, and begins again from the ledger.
            workflowIdReusePolicy: 'ALLOW_DUPLICATE',
            args: [{ kind: 'began', org, agent, policy: frozen }],
            signal: reportMatches,
            signalArgs: [report],
          }),
        ),
      );
    },
    startAlert: async (input) => {
      const began = await inTime(() =>
        guarded(input.policy, (frozen) =>
          client.workflow.start<typeof alert>('alert', {
            ...startOptions,
            ...alertTexts(input),
            ...(frozen.searchAttributes ? { typedSearchAttributes: alertAttributes(input) } : {}),
            workflowId: input.id,
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            args: [{ kind: 'raised', input: { ...input, policy: frozen } }],
          }),
        ).then(() => true, falseIf(WorkflowExecutionAlreadyStartedError)),
      );
      return began ? 'started' : 'already';
    },
    wakeDigest: async (ref) => {
      const { org, recipient, cadence } = ref;
      await inTime(() =>
        guarded(policy, (frozen) =>
          client.workflow.signalWithStart<typeof digest>('digest', {
            ...startOptions,
            staticSummary: digestSummary(ref),
            ...(frozen.searchAttributes ? { typedSearchAttributes: digestAttributes(ref) } : {}),
            workflowId: digestWorkflowId(org, recipient, cadence),
            workflowIdReusePolicy: 'ALLOW_DUPLICATE',
            args: [{ kind: 'woken', ref, policy: frozen }],
            signal: digestWoken,
            signalArgs: [],
          }),
        ),
      );
    },
    budgetStatus: (workflowId) =>
      orUnknown(() => client.workflow.getHandle(workflowId).query(status)),
    agentStatus: ({ org, agent }) =>
      orUnknown(() => client.workflow.getHandle(agentWorkflowId(org, agent)).query(agentStatus)),
    alertStatus: (alertId) =>
      orUnknown(() => client.workflow.getHandle(alertId).query(alertStatus)),
    acknowledge: (alertId, actor) => act(acknowledge, alertId, actor),
    resolve: (alertId, actor) => act(resolve, alertId, actor),
    revokeDelivery: (alertId, word) => tell(alertId, (it) => it.signal(deliveryRevoked, word)),
    endSilence: (alertId) => tell(alertId, (it) => it.signal(silenceEnded)),
    confirmDelivery: (alertId, delivery) =>
      tell(alertId, (it) => it.signal(deliveryConfirmed, { delivery })),
    history: (workflowId) => orUnknown(() => client.workflow.getHandle(workflowId).fetchHistory()),
    ping: async () => {
      const { namespace } = client.options;
      await inTime(() => client.workflowService.describeNamespace({ namespace }), 1_000);
    },
  };
}

/** `fetchHistory` throws the bare gRPC error; a namespace that is missing has the same status. */
function isUnknownWorkflow(error: unknown): boolean {
  const { code, details } = grpcStatus(error);
  return error instanceof WorkflowNotFoundError || (code === 5 && !/namespace/i.test(details));
}

/** Turns one expected kind of rejection into `false`; any other goes on. */
function falseIf(expected: abstract new (...args: never[]) => Error): (error: unknown) => false {
  return (error) => {
    if (error instanceof expected) return false;
    throw error;
  };
}
