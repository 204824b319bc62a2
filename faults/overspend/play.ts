/**
 * One repetition: four processes of one agent at the edge of one budget, the provider's bill beside
 * the limit. With `kills` holders die at random and come back on the same host, and parts of the
 * service die, too.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { spawnGuarded, type GuardedChild } from '../../cli/embedded/guarded-child.js';
import { createRandom } from '../../cli/demo/random.js';
import type { Part } from '../../cli/set/supervise.js';
import { startLlm } from '../../fakes/llm.js';
import type { Target } from '../target.js';
import { MODEL, nanosOf, seededTurns, WORST_NANOS } from './load.js';
import type { AgentDone, AgentOrder } from './order.js';

const PROGRAM = fileURLToPath(new URL('agent-process.ts', import.meta.url));
const PROCESSES = 4;
const KILL_EVERY_MS = 1_500;

export interface PlaySize {
  /** The budget, in calls at their worst. */
  readonly worstCalls: number;
  /** Calls at a time, over all processes. */
  readonly atOnce: number;
  readonly seed: number;
  readonly guard: AgentOrder['guard'];
  /** Holders to be killed, and as many parts of the service. */
  readonly kills: number;
}

export interface Played {
  readonly guard: AgentOrder['guard'];
  readonly limit: number;
  /** What the provider billed, nano-USD. */
  readonly billed: number;
  readonly calls: number;
  /** Requests about leases, of those processes that came to their end. */
  readonly asks: number;
  /** What was killed, in the order it was. */
  readonly killed: readonly string[];
}

export async function play(target: Target, size: PlaySize, signal: AbortSignal): Promise<Played> {
  const llm = await startLlm({ script: seededTurns(size.seed) });
  const folder = mkdtempSync(join(tmpdir(), 'kavach-overspend-'));
  const agents: RunningAgent[] = [];
  try {
    const limit = size.worstCalls * WORST_NANOS;
    const agent = `overspend-${randomUUID()}`;
    for (let no = 0; no < PROCESSES; no += 1) {
      agents.push(
        runAgent(folder, no, {
          ...{ guard: size.guard, apiKey: target.apiKey, llmUrl: llm.url, agent },
          endpoint: target.urls[no % target.urls.length] ?? '',
          limitUsd: limit / 1e9,
          ...{ atOnce: Math.ceil(size.atOnce / PROCESSES), refusals: 3 },
          seed: size.seed * PROCESSES + no,
          ...(size.guard === 'leased' ? { journalDir: join(folder, `journal-${String(no)}`) } : {}),
        }),
      );
    }
    const killing = killSome(target.parts, agents, size, signal);
    const done = await Promise.all(agents.map((each) => each.done));
    const killed = await killing.stop();
    return {
      ...{ guard: size.guard, limit, killed, billed: nanosOf(llm.billed(MODEL)) },
      calls: llm.billed(MODEL).calls,
      asks: done.reduce((sum, { asks }) => sum + asks, 0),
    };
  } finally {
    await Promise.all(agents.map((each) => each.stop()));
    await llm.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface RunningAgent {
  readonly name: string;
  /** What the life that came to its end has said. */
  readonly done: Promise<AgentDone>;
  /** SIGKILL, and a new process on the same journal. */
  readonly killAndRestart: () => void;
  readonly stop: () => Promise<void>;
}

function runAgent(folder: string, no: number, order: AgentOrder): RunningAgent {
  let child: GuardedChild | undefined;
  let isOver = false;
  const kills = new Set<number>();
  const logFile = join(folder, `agent-${String(no)}.log`);
  const done = new Promise<AgentDone>((resolve, reject) => {
    const live = async (): Promise<void> => {
      for (;;) {
        let said: AgentDone | undefined;
        child = await spawnGuarded({
          command: process.execPath,
          args: ['--import', 'tsx', PROGRAM, JSON.stringify(order)],
          ...{ env: process.env, logFile },
          onMessage: (message) => {
            said = message as AgentDone;
          },
        });
        const { code } = await child.exited;
        if (said !== undefined) {
          resolve(said);
          return;
        }
        if (isOver || !kills.has(child.pid)) {
          reject(new Error(`agent ${String(no)} ended with ${String(code)}: see ${logFile}`));
          return;
        }
      }
    };
    live().catch(reject);
  });
  done.catch(() => undefined);
  return {
    ...{ name: `agent ${String(no + 1)}`, done },
    killAndRestart: () => {
      if (child === undefined) return;
      kills.add(child.pid);
      try {
        process.kill(child.pid, 'SIGKILL');
      } catch {
        // It has just come to its end.
      }
    },
    stop: async () => {
      isOver = true;
      await child?.stop(0);
    },
  };
}

/** A holder and a part of the service in turn, until they are as many as were asked for. */
function killSome(
  parts: readonly Part[],
  agents: readonly RunningAgent[],
  { kills, seed }: PlaySize,
  signal: AbortSignal,
): { stop: () => Promise<readonly string[]> } {
  const random = createRandom(seed);
  const ending = new AbortController();
  const killed: string[] = [];
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  const run = async (): Promise<void> => {
    for (let no = 0; no < kills; no += 1) {
      await delay(KILL_EVERY_MS * (0.5 + random()), undefined, {
        signal: AbortSignal.any([ending.signal, signal]),
      });
      const agent = pick(agents);
      agent?.killAndRestart();
      const part = pick(parts);
      await part?.kill();
      killed.push(agent?.name ?? '', part?.name ?? '');
    }
  };
  const running = run().catch(() => undefined);
  return {
    stop: async () => {
      ending.abort();
      await running;
      await Promise.all(parts.map((part) => part.serving()));
      return killed;
    },
  };
}
