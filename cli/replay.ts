/**
 * Proves that a workflow would decide today as it did then: its recorded history is fed to today's
 * code, and the first command that differs is named. Needs no server when the history is a file.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { DeterminismViolationError } from '@temporalio/workflow';
import type { DataConverter } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { ReplayError, Worker } from '@temporalio/worker';
import { connectTemporal } from '../client/index.js';
import { workflowBundle } from '../worker/bundle.js';
import { createCodec, createDataConverter, parseCodecKeys } from '../worker/codec.js';
import { createLog } from '../worker/log.js';
import { installRuntime } from '../worker/runtime.js';
import { CliError, type Environment } from './http.js';
import type { Output } from './output.js';

export interface ReplayAnswer {
  readonly workflow: string;
  readonly events: number;
  /** Workflow tasks that had been completed. */
  readonly tasks: number;
  /** Of the replay, without loading code and history. */
  readonly ms: number;
  readonly deterministic: boolean;
  /** The first difference; absent when there is none. */
  readonly difference?: string;
}

/** `kavach replay`: exit code 0 when today's code decides the same, 1 when it does not. */
export async function showReplay(
  target: string,
  output: Output,
  env: Environment,
): Promise<number> {
  const answer = await replay(target, env);
  output.json(answer);
  const { workflow, events, tasks, ms, deterministic, difference } = answer;
  const size = `${String(events)} events, ${String(tasks)} workflow tasks, ${String(ms)} ms`;
  const verdict = deterministic
    ? output.paint('good', 'decides the same today')
    : output.paint('bad', 'decides differently today');
  output.line(`${workflow}: ${verdict} (${size})`);
  if (difference !== undefined) output.line(`First difference: ${difference}`);
  return deterministic ? 0 : 1;
}

interface RecordedHistory {
  readonly workflow: string;
  /** As `historyToJSON` and `temporal workflow show --output json` write it. */
  readonly history: { readonly events: readonly RecordedEvent[] };
}

interface RecordedEvent {
  readonly eventId?: string | number;
  readonly eventType?: string;
}

/** Replays a workflow by its id, or a history file. Throws a CliError when there is no history. */
export async function replay(target: string, env: Environment): Promise<ReplayAnswer> {
  const isFile = existsSync(target);
  if (!isFile && isFileName(target)) {
    throw new CliError(`There is no file ${target}: ${HOW_TO_RECORD}`);
  }
  const { workflow, history } = isFile ? readHistory(target) : await fetchHistory(target, env);
  const { events } = history;
  const cache = mkdtempSync(join(tmpdir(), 'kavach-replay-'));
  try {
    installRuntime(createLog({ level: 'silent', format: 'json' }));
    const dataDir = env['KAVACH_DATA_DIR'] || '.kavach';
    const converter = converterOf(env);
    const bundle = await workflowBundle(existsSync(dataDir) ? dataDir : cache, converter);
    const startedAt = performance.now();
    const difference = await findDifference(bundle, converter, history);
    return {
      workflow,
      events: events.length,
      tasks: events.filter((event) => isType(event, 'WORKFLOW_TASK_COMPLETED')).length,
      ms: Math.round(performance.now() - startedAt),
      deterministic: difference === undefined,
      ...(difference === undefined ? {} : { difference: explain(difference, events) }),
    };
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

async function findDifference(
  workflowBundle: { readonly codePath: string },
  dataConverter: DataConverter,
  history: RecordedHistory['history'],
): Promise<string | undefined> {
  try {
    await Worker.runReplayHistory({ workflowBundle, dataConverter }, history);
    return undefined;
  } catch (error) {
    if (error instanceof Error && IS_SEALED.test(error.message)) {
      throw new CliError('The history is sealed: set KAVACH_CODEC_KEYS to the keys of its service');
    }
    if (error instanceof DeterminismViolationError || error instanceof ReplayError)
      return error.message;
    throw error;
  }
}

/** Nothing was decided differently: nothing could be read. */
const IS_SEALED = /codec key "|Unknown encoding: binary\/encrypted/i;

/** A sealed history opens only with the keys of its service. */
function converterOf(env: Environment): DataConverter {
  const keys = env['KAVACH_CODEC_KEYS'] || undefined;
  if (keys === undefined) return {};
  try {
    return createDataConverter(createCodec(parseCodecKeys(keys)));
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error));
  }
}

/** The engine's own sentence out of its report, with the event it speaks of, where it names one. */
function explain(report: string, events: readonly RecordedEvent[]): string {
  const sentence = /message: "((?:[^"\\]|\\.)*)"/.exec(report)?.[1] ?? report;
  const message = sentence.replace(/^\[\w+\] /, '');
  const id = /\bid: (\d+)/.exec(message)?.[1];
  const event = events.find(({ eventId }) => id !== undefined && String(eventId) === id);
  if (event === undefined) return message;
  return `at event ${String(event.eventId)} (${wordOf(event)}): ${message}`;
}

function wordOf({ eventType = 'unknown' }: RecordedEvent): string {
  return eventType
    .replace(/^EVENT_TYPE_/, '')
    .toLowerCase()
    .replaceAll('_', ' ');
}

/** The two writers spell it `EVENT_TYPE_TIMER_STARTED` and `TimerStarted`. */
function isType({ eventType = '' }: RecordedEvent, name: string): boolean {
  return (
    eventType
      .replace(/^EVENT_TYPE_/, '')
      .replaceAll('_', '')
      .toLowerCase() === name.replaceAll('_', '').toLowerCase()
  );
}

/** No workflow of ours is called so: their ids begin with what they are. */
function isFileName(target: string): boolean {
  if (/^(?:budget|alert|agent|digest)\//.test(target)) return false;
  return /\.json$/i.test(target) || /^[.~]?\.?[/\\]/.test(target);
}

function readHistory(file: string): RecordedHistory {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new CliError(`${file} cannot be read as a history (${cause}): ${HOW_TO_RECORD}`);
  }
  const { events } = (parsed ?? {}) as { events?: unknown };
  if (!Array.isArray(events) || events.length === 0) {
    throw new CliError(`${file} holds no history ("events" is missing or empty): ${HOW_TO_RECORD}`);
  }
  return { workflow: file, history: parsed as RecordedHistory['history'] };
}

const HOW_TO_RECORD = 'write one with `temporal workflow show --workflow-id … --output json`';

async function fetchHistory(workflowId: string, env: Environment): Promise<RecordedHistory> {
  const port = env['KAVACH_TEMPORAL_PORT'] || '7233';
  const temporal = await connectTemporal({
    ...env,
    TEMPORAL_ADDRESS: env['TEMPORAL_ADDRESS'] || `127.0.0.1:${port}`,
  }).catch((error: unknown) => {
    throw new CliError(error instanceof Error ? error.message : String(error));
  });
  try {
    const history = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
    // Through JSON, so that a file and a server are replayed in the same way.
    return {
      workflow: workflowId,
      history: JSON.parse(historyToJSON(history)) as RecordedHistory['history'],
    };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new CliError(
      `There is no history of ${workflowId} in ${temporal.address}, and no such file (${cause}): ` +
        '`kavach status <budget>` names its workflow, an alert is its own',
    );
  } finally {
    await temporal.close();
  }
}
