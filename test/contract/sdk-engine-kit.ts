/** A guard's engine on the fake gateway, over real sockets; all of it ends with the test. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import {
  startFakeGateway,
  type FakeGateway,
  type FakeGatewayOptions,
} from '../../fakes/gateway.js';
import type { Admission, Admitted, CallReport, Refusal } from '../../sdk/admission.js';
import { createLeasedAdmission, type LeasedAdmissionOptions } from '../../sdk/engine/admission.js';
import type { Amounts } from '../../domain/lease/amounts.js';
import type { GuardChild } from '../support/guard-child.js';

export const KEY = 'kv_secret_of_the_test';
/** USD 1. */
export const DOLLAR = 1_000_000_000;
export const CENT: Amounts = { cost: 10_000_000, tokens: 2, calls: 1 };

export async function startGateway(options: FakeGatewayOptions = {}): Promise<FakeGateway> {
  const gateway = await startFakeGateway(options);
  onTestFinished(() => gateway.close());
  return gateway;
}

export interface TestGuard {
  readonly admission: Admission;
  readonly refusals: Refusal[];
  lifted: number;
  /** Every line that was logged, with its fields. */
  readonly log: string[];
}

/** Hasty: what takes seconds takes tens of milliseconds. */
export function startGuard(
  gateway: FakeGateway,
  options: Partial<LeasedAdmissionOptions> = {},
): TestGuard {
  const log: string[] = [];
  const say = (message: string, fields?: object): void => {
    log.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };
  const { policy, ...rest } = options;
  const admission = createLeasedAdmission({
    ...{ endpoint: gateway.url, apiKey: KEY, agentName: 'bot', runId: 'run-1' },
    ...{ syncDocument: { agent_name: 'bot' }, hasBlockBudget: true, whenUnreachable: 'closed' },
    logger: { info: say, warn: say, error: say },
    ...rest,
    policy: {
      ...policy,
      sender: { paceMs: 5, firstRetryMs: 20, mostRetryMs: 50, ...policy?.sender },
      channel: { firstRetryMs: 20, mostRetryMs: 50, ...policy?.channel },
      holder: { waitMs: 300, retryMs: 20, retryMaxMs: 50, ...policy?.holder },
    },
  });
  const guard: TestGuard = { admission, refusals: [], lifted: 0, log };
  admission.onRefusal((refusal) => guard.refusals.push(refusal));
  admission.onLifted(() => {
    guard.lifted += 1;
  });
  onTestFinished(() => admission.close(300));
  return guard;
}

export function reportOf(actual: Amounts): CallReport {
  return {
    ...{ provider: 'openai', model: 'gpt', inputTokens: 1, outputTokens: actual.tokens - 1 },
    ...{ cost: actual.cost, durationMs: 5, status: 'success' },
  };
}

/** One call from its leave to its report. */
export async function call(
  { admission }: Pick<TestGuard, 'admission'>,
  worst: Amounts = CENT,
): Promise<Admitted> {
  const admitted = await admission.admit(worst);
  if (admitted.type === 'admitted') admitted.reservation.settle(worst, reportOf(worst));
  return admitted;
}

const CHILD = fileURLToPath(new URL('../support/guard-child.ts', import.meta.url));

export interface StartedChild {
  readonly process: ChildProcess;
  /** What its calls came to, once it has made them. */
  readonly said: Promise<readonly string[]>;
  /** Its exit code, or the signal. */
  readonly ended: Promise<number | string>;
}

export function startChild(child: GuardChild): StartedChild {
  const started = spawn(process.execPath, ['--import', 'tsx', CHILD, JSON.stringify(child)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void started.kill('SIGKILL'));
  const ended = new Promise<number | string>((resolve) => {
    started.once('exit', (code, signal) => {
      resolve(code ?? signal ?? 'unknown');
    });
  });
  const said = new Promise<readonly string[]>((resolve) => {
    let text = '';
    started.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(JSON.parse(text) as readonly string[]);
    });
  });
  return { process: started, said, ended };
}

/** Every file below a folder, as text by its path. */
export function filesBelow(folder: string): Readonly<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[path.slice(folder.length + 1)] = readFileSync(path, 'utf8');
  }
  return files;
}

/** Lines of events that wait on disk. */
export function spooledBelow(folder: string): number {
  return Object.entries(filesBelow(folder))
    .filter(([path]) => path.includes('events-'))
    .reduce((sum, [, text]) => sum + text.split('\n').filter((line) => line !== '').length, 0);
}
