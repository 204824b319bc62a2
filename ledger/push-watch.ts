/**
 * When to look for changed push messages. A Postgres tells other processes (NOTIFY); what it does
 * not tell, because its connection broke, is found by polling, which is the truth. The embedded
 * database tells nobody (database.ts, E-2): what changed in this process is known here.
 */
import pg from 'pg';
import { PUSH_TOPIC } from './push-messages.js';
import type { PushWatch } from './push.js';

export interface PushBell {
  /** Something changed in this process. */
  readonly ring: () => void;
  watch(wake: () => void): Promise<PushWatch>;
}

/** Without being told of others' changes; and where a Postgres tells. */
const POLL_MS = { embedded: 200, told: 1_000 } as const;
const RECONNECT_MS = 1_000;

export function createPushBell(databaseUrl: string, embedded: boolean): PushBell {
  const listeners = new Set<() => void>();
  return {
    ring: () => {
      for (const wake of listeners) wake();
    },
    watch: (wake) => {
      listeners.add(wake);
      const stopListening = embedded ? () => Promise.resolve() : listen(databaseUrl, wake);
      return Promise.resolve({
        pollMs: embedded ? POLL_MS.embedded : POLL_MS.told,
        stop: async () => {
          listeners.delete(wake);
          await stopListening();
        },
      });
    },
  };
}

/** On a connection of its own, made anew for as long as nobody stops it. */
function listen(databaseUrl: string, wake: () => void): () => Promise<void> {
  let isStopped = false;
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;

  const again = (): void => {
    if (isStopped || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      connecting = connect();
    }, RECONNECT_MS);
    timer.unref();
  };
  const connect = async (): Promise<void> => {
    const made = new pg.Client({
      connectionString: databaseUrl,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    client = made;
    made.on('notification', wake);
    made.on('error', again);
    made.on('end', again);
    try {
      await made.connect();
      await made.query(`listen ${PUSH_TOPIC}`);
      // What changed while nobody listened was not told.
      wake();
    } catch {
      again();
    }
    if (isStopped || timer !== undefined) await made.end().catch(() => undefined);
  };
  let connecting = connect();
  return async () => {
    isStopped = true;
    clearTimeout(timer);
    await connecting;
    await client?.end().catch(() => undefined);
  };
}
