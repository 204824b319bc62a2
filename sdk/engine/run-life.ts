/**
 * A run's life, told to the gateway (B7): so a run that hangs is noticed, and one that ended is not
 * taken for one. POST /v1/runs/{id}; nothing here holds a call up.
 */
import { refusalIn, type RefusalListener } from './ingest-reply.js';
import type { Surroundings } from './surroundings.js';
import type { Transport } from './transport.js';

export interface RunLifeOptions extends Pick<Surroundings, 'timers'>, RefusalListener {
  readonly transport: Pick<Transport, 'post'>;
  readonly agentName: string;
  readonly runId: string;
  /** @default 20 s: the gateway takes a run for open for 60 s */
  readonly everyMs?: number;
}

export interface RunLife {
  /** Tells that it has ended; resolves when that was answered, or not. */
  end(timeoutMs: number): Promise<void>;
}

/** What was missed is told with the next one: a start that was lost is told again. */
const RETRY_MS = 2_000;

export function startRunLife(options: RunLifeOptions): RunLife {
  const { transport, timers, agentName, runId, everyMs = 20_000 } = options;
  const path = `/v1/runs/${encodeURIComponent(runId)}`;
  let isStarted = false;
  let isEnded = false;
  let cancel = (): void => undefined;

  const tell = async (): Promise<void> => {
    const what = isStarted ? 'heartbeat' : 'started';
    const words = options.words();
    const reply = await transport.post(path, { agent_name: agentName, what });
    if (isEnded) return;
    const refusal = refusalIn(reply);
    if (refusal !== undefined) options.onRefused(refusal, words);
    const isTold = reply.type === 'answered' || refusal !== undefined;
    isStarted ||= isTold;
    cancel = timers.after(isTold ? everyMs : Math.min(RETRY_MS, everyMs), () => void tell());
  };

  void tell();
  return {
    end: async (timeoutMs) => {
      if (isEnded) return;
      isEnded = true;
      cancel();
      await transport.post(path, { agent_name: agentName, what: 'ended' }, { timeoutMs });
    },
  };
}
