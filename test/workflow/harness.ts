/**
 * A worker with the real workflows and activities that only record: what the workflows do to the
 * outside world, without one. The ledger and channels have suites of their own.
 */
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import {
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  bundleWorkflowCode,
} from '@temporalio/worker';
import type { Activities } from '../../activities/index.js';
import type { DeliverInput } from '../../activities/deliver.js';
import type { SendDigest } from '../../activities/digest.js';
import { createKavachClient } from '../../client/index.js';
import { DEFAULT_POLICY, type Policy } from '../../domain/alert/policy.js';
import type { DeliverAnswer, JournalEntry } from '../../domain/alert/state.js';
import type { AlertStatus } from '../../domain/alert/view.js';
import type { PeriodRow } from '../../domain/budget/input.js';
import type { Report } from '../../domain/budget/report.js';
import type { Published } from '../../domain/budget/state.js';
import { createRuleShelf, type RuleShelf } from '../support/rule-shelf.js';
import { connectTestClient } from '../support/temporal.js';

Runtime.install({ logger: new DefaultLogger('ERROR') });

export interface Recorded {
  readonly published: Published[];
  readonly deliveries: DeliverInput[];
  readonly digests: SendDigest[];
  readonly journal: { status: AlertStatus; entries: readonly JournalEntry[] }[];
}

export interface Harness {
  readonly client: Client;
  readonly taskQueue: string;
  readonly recorded: Recorded;
  /** What `deliver` answers; default: accepted. */
  answer: (request: DeliverInput) => Promise<DeliverAnswer> | DeliverAnswer;
  /** May throw, to play a ledger that is away. */
  onPublish: (published: Published) => void;
  /** How many items wait for the next digest, and when it is due. */
  digests: { waiting: number; dueAt: () => number; claimed: number };
  /** What `openPeriod` answers. */
  row: PeriodRow | undefined;
  /** What the ledger has of rules. */
  readonly rules: RuleShelf;
  /** Polls until `check` answers something, for at most 20 s. */
  until<T>(check: () => T | undefined | false | Promise<T | undefined | false>): Promise<T>;
  restartWorker(options?: { maxCachedWorkflows?: number }): Promise<void>;
  stop(): Promise<void>;
}

export const QUICK: Policy = {
  ...DEFAULT_POLICY,
  cooldownMs: 300,
  ladderMs: [20, 40, 60],
  retryMs: 50,
  closeGraceMs: 50,
  searchAttributes: true,
};

const ignore = (): void => undefined;
const quiet = { info: ignore, warn: ignore, error: ignore };

let bundle: Awaited<ReturnType<typeof bundleWorkflowCode>> | undefined;

export async function startHarness(name: string): Promise<Harness> {
  bundle ??= await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  const workflowBundle = bundle;
  const test = await connectTestClient(name);
  const { client, address, taskQueue } = test;
  const connection = await NativeConnection.connect({ address });
  const kavach = createKavachClient({ client, taskQueue, policy: QUICK, log: quiet });
  const rules = createRuleShelf();
  const recorded: Recorded = { published: [], deliveries: [], digests: [], journal: [] };
  const activities: Activities = {
    deliver: async (request) => {
      recorded.deliveries.push(request);
      return harness.answer(request);
    },
    journal: (status, entries) => {
      recorded.journal.push({ status, entries });
      return Promise.resolve();
    },
    publishPeriod: (published) => {
      harness.onPublish(published);
      recorded.published.push(published);
      return Promise.resolve();
    },
    raiseAlert: async (input) => {
      await kavach.startAlert(input);
    },
    loadRules: (org, agent, asked) => Promise.resolve(rules.load(org, agent, asked)),
    publishRules: (published) => {
      rules.publish(published);
      return Promise.resolve();
    },
    ...digestActivities(() => harness.digests, recorded),
    openPeriod: () =>
      harness.row === undefined
        ? Promise.reject(new Error('no row'))
        : Promise.resolve(harness.row),
  };
  let running = await run();
  async function run(maxCachedWorkflows = 100) {
    const worker = async (queue: string, only?: 'activities') =>
      Worker.create({
        connection,
        taskQueue: queue,
        activities,
        maxCachedWorkflows,
        ...(only === undefined ? { workflowBundle } : {}),
      });
    const workers = [await worker(taskQueue), await worker(`${taskQueue}-delivery`, 'activities')];
    const ended = workers.map((each) => each.run());
    return async () => {
      for (const each of workers) each.shutdown();
      await Promise.all(ended);
    };
  }
  const harness: Harness = {
    client,
    taskQueue,
    recorded,
    answer: () => ({ type: 'sent', outcome: { kind: 'accepted', reason: 'ok' } }),
    onPublish: () => undefined,
    digests: { waiting: 0, dueAt: () => Date.now() + 50, claimed: 0 },
    row: undefined,
    rules,
    until: async (check) => {
      const deadline = Date.now() + 20_000;
      for (;;) {
        const found = await check();
        if (found !== undefined && found !== false) return found;
        if (Date.now() > deadline) throw new Error('what was waited for did not come in 20 s');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    restartWorker: async (options) => {
      await running();
      running = await run(options?.maxCachedWorkflows);
    },
    stop: async () => {
      await running();
      await connection.close();
      await test.close();
    },
  };
  return harness;
}

/** A ledger's part of digests, in one process: what waits is claimed whole, and once. */
function digestActivities(
  book: () => Harness['digests'],
  recorded: Recorded,
): Pick<Activities, 'planDigest' | 'claimDigest' | 'sendDigest' | 'endDigest'> {
  return {
    planDigest: () => Promise.resolve(book().waiting === 0 ? {} : { dueAt: book().dueAt() }),
    claimDigest: ({ recipient }) => {
      const { waiting: total } = book();
      if (total === 0) return Promise.resolve({});
      book().waiting = 0;
      book().claimed += 1;
      return Promise.resolve({ digest: { id: `${recipient}/${String(book().claimed)}`, total } });
    },
    sendDigest: (request) => {
      recorded.digests.push(request);
      return Promise.resolve({ type: 'sent', outcome: { kind: 'accepted', reason: 'ok' } });
    },
    endDigest: () => Promise.resolve(),
  };
}

/** A daily budget of 1,000 nano-USD with slack at 50 and 80 % and kill at 100 %. */
export function rowOf(agent: string, endsAt = Date.now() + 3_600_000): PeriodRow {
  return {
    key: {
      org: 'default',
      scope: `agent:${agent}`,
      cadence: 'daily',
      period: '20261121T000000Z',
      generation: 1,
    },
    window: { startsAt: endsAt - 86_400_000, endsAt, zone: 'UTC' },
    name: agent,
    limits: {
      rev: 1,
      limits: [
        {
          dimension: 'cost',
          amount: 1_000,
          enforcement: 'block',
          thresholds: [
            { bps: 5_000, routes: [{ channel: 'slack', destination: 'd1' }] },
            { bps: 8_000, routes: [{ channel: 'slack', destination: 'd1' }] },
            { bps: 10_000, routes: [{ channel: 'slack', destination: 'd1' }, { channel: 'kill' }] },
          ],
        },
      ],
    },
    latches: {},
    firingNo: 0,
    senders: {},
    openAlerts: [],
  };
}

export function reportOf(seq: number, cost: number, more: Partial<Report> = {}): Report {
  return { sender: 'ledger', epoch: 1, seq, cost, tokens: cost, calls: seq, limitsRev: 1, ...more };
}
