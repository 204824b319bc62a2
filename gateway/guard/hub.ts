/**
 * All guards that are connected to this gateway, and the one look into the ledger for all of them.
 *
 * GH-1. While nobody is connected nobody looks. Who comes is answered once it was looked for it:
 *       how it stands is the first thing it reads.
 * GH-2. A look that fails changes nothing: what it would have told the next one tells.
 * GH-3. Streams are bounded, by key, by organisation and in all.
 * GH-4. At the end every stream ends in order: its guard goes to another gateway.
 */
import type { GuardStanding, LeaseLedger } from '../../ledger/ledger.js';
import { withDeadline } from '../deadline.js';
import type { Logger } from '../options.js';
import { Problem } from '../problem.js';
import type { GuardPolicy } from './policy.js';
import { createGuardStream, type GuardStream } from './stream.js';
import { wordsFor, type Guard, type Told } from './words.js';

export interface GuardHubOptions {
  readonly ledger: Pick<LeaseLedger, 'guardStandings'>;
  readonly policy: GuardPolicy;
  /** A look that takes longer is given up, ms. */
  readonly timeoutMs: number;
  readonly retryAfterS: number;
  readonly log: Logger;
  /** Epoch ms. */
  readonly now: () => number;
}

export interface GuardHub {
  /**
   * The body of its answer, once it has been told how it stands. `cut` ends its connection. Rejects
   * with a `Problem` where there is no place for it (429, 503), and with what the ledger throws.
   */
  open(guard: Guard, keyId: string, cut: () => void): Promise<ReadableStream<Uint8Array>>;
  size(): number;
  /** Twice is once. */
  stop(): void;
}

interface Connection {
  readonly guard: Guard;
  readonly keyId: string;
  readonly stream: GuardStream;
  /** By a clock that nobody sets. */
  readonly endsAt: number;
  told?: Told;
  /** What it was last told of, to pass over what has not changed. */
  seen?: string;
  greeted?: (failure?: unknown) => void;
}

export function createGuardHub(options: GuardHubOptions): GuardHub {
  const { ledger, policy, log, now } = options;
  const connections = new Set<Connection>();
  let looking: Promise<void> | undefined;
  let isWanted = false;
  let isAway = false;
  let isOver = false;
  let polling: NodeJS.Timeout | undefined;
  let beating: NodeJS.Timeout | undefined;

  const tell = (connection: Connection, standing: GuardStanding): void => {
    const seen = JSON.stringify(standing);
    if (seen === connection.seen) return;
    connection.seen = seen;
    const { told, events } = wordsFor(connection.guard, standing, connection.told);
    connection.told = told;
    for (const { event, data } of events) connection.stream.send(event, data);
    connection.greeted?.();
  };

  const lookOnce = async (): Promise<void> => {
    // Who comes while the ledger is asked was not asked for: the next look is for it.
    const present = [...connections];
    const watches = new Map(present.map(({ guard }) => [nameOf(guard), watchOf(guard)]));
    if (watches.size === 0) return;
    try {
      const found = await withDeadline(
        ledger.guardStandings([...watches.values()], now()),
        options.timeoutMs,
        'The ledger',
      );
      if (isAway) log.info({}, 'guards: the ledger is back');
      isAway = false;
      const standings = new Map(found.map((standing) => [nameOf(standing), standing]));
      for (const connection of present) {
        if (!connections.has(connection)) continue;
        const { guard } = connection;
        tell(connection, standings.get(nameOf(guard)) ?? nothingOf(guard));
      }
    } catch (error) {
      const cause = error instanceof Error ? error.name : 'unknown';
      if (!isAway) log.warn({ cause }, 'guards: the ledger fails; it is asked again');
      isAway = true;
      for (const { greeted } of present) greeted?.(error);
    }
  };

  const look = (): void => {
    isWanted = true;
    clearTimeout(polling);
    looking ??= (async () => {
      while (isWanted) {
        isWanted = false;
        await lookOnce();
      }
      looking = undefined;
      if (connections.size === 0 || isOver) return;
      polling = setTimeout(look, policy.pollMs);
      polling.unref();
    })();
  };

  const beat = (): void => {
    const at = performance.now();
    for (const { stream, endsAt } of [...connections]) {
      if (at >= endsAt) stream.end();
      else stream.beat();
    }
  };

  const remove = (connection: Connection): void => {
    connections.delete(connection);
    connection.greeted?.(new Error('The guard has gone.'));
    if (connections.size > 0) return;
    clearTimeout(polling);
    clearInterval(beating);
    beating = undefined;
  };

  /** GH-3. */
  const refuseFull = ({ org }: Guard, keyId: string): void => {
    if (isOver || connections.size >= policy.maxStreams) throw full(503, options.retryAfterS);
    let [ofOrganisation, ofKey] = [0, 0];
    for (const each of connections) {
      if (each.guard.org !== org) continue;
      ofOrganisation += 1;
      if (each.keyId === keyId) ofKey += 1;
    }
    if (ofOrganisation >= policy.perOrganisation || ofKey >= policy.perKey) {
      throw full(429, options.retryAfterS);
    }
  };

  return {
    open: async (guard, keyId, cut) => {
      refuseFull(guard, keyId);
      const stream = createGuardStream({
        bufferBytes: policy.bufferBytes,
        cut,
        ended: () => {
          remove(connection);
        },
      });
      // Guards that came together do not have to come again together.
      const endsAt = performance.now() + policy.maxAgeMs * (0.8 + Math.random() / 5);
      const connection: Connection = { guard, keyId, stream, endsAt };
      const greeting = new Promise<void>((resolve, reject) => {
        connection.greeted = (failure) => {
          delete connection.greeted;
          if (failure === undefined) resolve();
          else reject(failure instanceof Error ? failure : new Error('The ledger failed.'));
        };
      });
      connections.add(connection);
      beating ??= setInterval(beat, policy.beatMs).unref();
      look();
      try {
        await greeting;
      } catch (error) {
        stream.end();
        throw error;
      }
      return stream.body;
    },
    size: () => connections.size,
    stop: () => {
      isOver = true;
      clearTimeout(polling);
      for (const { stream } of [...connections]) stream.end();
    },
  };
}

function nameOf({ org, agent }: { readonly org: string; readonly agent: string }): string {
  return `${org}\n${agent}`;
}

function watchOf({ org, agent }: Guard) {
  return { org, agent };
}

function nothingOf(guard: Guard): GuardStanding {
  return { ...watchOf(guard), killed: [], limitsMark: '', recalls: [] };
}

function full(status: 429 | 503, retryAfterS: number): Problem {
  return new Problem({
    status,
    title: status === 429 ? 'Too many guards' : 'Unavailable',
    detail:
      status === 429
        ? 'This key, or its organisation, has as many guards connected as it may: end some.'
        : 'This gateway takes no guard right now: try again.',
    headers: { 'retry-after': String(retryAfterS) },
  });
}
