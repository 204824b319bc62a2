/**
 * Where histories are recorded: a Temporal server of its own, a worker with the real workflows,
 * and activities that answer as a path wants. Needs no vitest, so that `record.ts` is a command.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
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
import { findTemporal } from '../../cli/embedded/temporal-binary.js';
import { startTemporalServer } from '../../cli/embedded/temporal-server.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import type { DeliverAnswer } from '../../domain/alert/state.js';
import type { ClaimedDigest } from '../../domain/digest/state.js';
import type { PeriodRow } from '../../domain/budget/input.js';
import type { Published } from '../../domain/budget/state.js';
import type { LoadedRules, PublishedRules } from '../../domain/agent/state.js';
import { WORKFLOWS_PATH } from '../../worker/bundle.js';

/** What is written into histories in place of a process and a machine's name. */
const IDENTITY = 'recorder';

export interface Answers {
  /** Default: accepted. */
  deliver: (request: DeliverInput) => Promise<DeliverAnswer> | DeliverAnswer;
  /** May throw, to play a ledger that is away. */
  publish: (published: Published) => void;
  journal: () => void;
  /** May throw, to play a server that is away. */
  raise: () => void;
  openPeriod: () => PeriodRow;
  loadRules: (agent: string, asked: readonly string[]) => LoadedRules;
  publishRules: (published: PublishedRules) => void;
  /** Default: nothing waits. */
  planDigest: () => { dueAt?: number };
  claimDigest: () => { digest?: ClaimedDigest };
  /** Default: accepted. */
  sendDigest: (request: SendDigest) => Promise<DeliverAnswer> | DeliverAnswer;
  /** May throw, to play a ledger that is away. */
  endDigest: () => void;
}

export interface Stage {
  readonly client: Client;
  readonly taskQueue: string;
  /** Of one organisation, so that paths do not meet. */
  answer(org: string, answers: Partial<Answers>): void;
  handle(workflowId: string, runId?: string): WorkflowHandle;
  /** Polls until `check` answers something true, for at most 20 s. */
  until(what: string, check: () => Promise<boolean>): Promise<void>;
  close(): Promise<void>;
}

const ignore = (): void => undefined;
const quiet = { info: ignore, warn: ignore, error: ignore };

export async function openStage(): Promise<Stage> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const dataDir = mkdtempSync(join(tmpdir(), 'kavach-record-'));
  const say = (line: string): void => {
    console.error(line);
  };
  const { path: binary } = await findTemporal({ env: process.env, onProgress: say });
  const server = await startTemporalServer({ binary, dataDir, log: say });
  const connection = await Connection.connect({ address: server.address });
  const native = await NativeConnection.connect({ address: server.address });
  const client = new Client({ connection, identity: IDENTITY });
  const taskQueue = 'replay';
  const kavach = createKavachClient({ client, taskQueue, policy: DEFAULT_POLICY, log: quiet });
  const answers = new Map<string, Partial<Answers>>();
  const activities: Activities = {
    deliver: async (request) =>
      (await answers.get(request.input.org)?.deliver?.(request)) ?? {
        type: 'sent',
        outcome: { kind: 'accepted', reason: 'HTTP 200' },
      },
    journal: (status) => {
      answers.get(status.org)?.journal?.();
      return Promise.resolve();
    },
    publishPeriod: (published) => {
      answers.get(published.key.org)?.publish?.(published);
      return Promise.resolve();
    },
    raiseAlert: async (input) => {
      answers.get(input.org)?.raise?.();
      await kavach.startAlert(input);
    },
    loadRules: (org, agent, asked) =>
      Promise.resolve().then(
        () => answers.get(org)?.loadRules?.(agent, asked) ?? { rev: 0, rules: [] },
      ),
    publishRules: (published) =>
      Promise.resolve().then(() => answers.get(published.org)?.publishRules?.(published)),
    planDigest: ({ org }) => Promise.resolve().then(() => answers.get(org)?.planDigest?.() ?? {}),
    claimDigest: ({ org }) => Promise.resolve().then(() => answers.get(org)?.claimDigest?.() ?? {}),
    sendDigest: async (request) =>
      (await answers.get(request.ref.org)?.sendDigest?.(request)) ?? {
        type: 'sent',
        outcome: { kind: 'accepted', reason: 'HTTP 200' },
      },
    endDigest: ({ org }) => {
      answers.get(org)?.endDigest?.();
      return Promise.resolve();
    },
    openPeriod: ({ key }) => Promise.resolve().then(() => answers.get(key.org)!.openPeriod!()),
  };
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS_PATH,
    logger: new DefaultLogger('ERROR'),
  });
  const shared = { connection: native, identity: IDENTITY, activities };
  const workers = [
    await Worker.create({ ...shared, taskQueue, workflowBundle }),
    await Worker.create({ ...shared, taskQueue: `${taskQueue}-delivery` }),
  ];
  const ended = workers.map((each) => each.run());
  return {
    client,
    taskQueue,
    answer: (org, given) => {
      answers.set(org, given);
    },
    handle: (workflowId, runId) => client.workflow.getHandle(workflowId, runId),
    until: async (what, check) => {
      const deadline = Date.now() + 20_000;
      while (!(await check())) {
        if (Date.now() > deadline) throw new Error(`${what} did not come in 20 s`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    close: async () => {
      for (const each of workers) each.shutdown();
      await Promise.all(ended);
      await native.close();
      await connection.close();
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
