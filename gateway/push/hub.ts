/**
 * All sockets of one gateway: what changes in the ledger goes to those it concerns, and what
 * people acknowledge goes to the ledger and to its alert.
 *
 * PH-1. The ledger decides what is sent: being told of a change only makes the next look come
 *       sooner. While nobody is connected here nobody looks.
 * PH-2. An acknowledgement is stored first, then told to its alert at once; what could not be told
 *       is the relay's (PU-3). All devices hear of it, the one it came from included.
 * PH-3. At the end every client is told to come again, and what it has said is stored.
 */
import type { WebSocket } from 'ws';
import type { PushLedger, PushSession } from '../../ledger/ledger.js';
import type { Logger } from '../options.js';
import { createConnection, type Connection, type DropReason } from './connection.js';
import { createPushFeed } from './feed.js';
import { readFrame } from './frames.js';
import { CLOSE, type PushPolicy } from './policy.js';

export interface PushHubOptions {
  readonly ledger: PushLedger;
  /** Tells an alert that a delivery has reached somebody. */
  readonly confirm: (alertId: string, delivery: string) => Promise<unknown>;
  readonly policy: PushPolicy;
  readonly log: Logger;
  readonly now: () => number;
  /** This gateway's, in the ledger. */
  readonly gateway: string;
}

export interface PushHub {
  /** From its accepted handshake on. */
  add(socket: WebSocket, session: PushSession): void;
  /** A session whose socket never came to be. */
  release(session: PushSession): void;
  size(): number;
  /** Tells everybody to come again, and ends what has not ended after `graceMs`. Twice is once. */
  stop(graceMs: number): Promise<void>;
}

const TICK_MS = 1_000;
/** Ends of sessions go to the ledger together. */
const ENDS_MS = 50;

export function createPushHub(options: PushHubOptions): PushHub {
  const { ledger, policy, log, now, gateway } = options;
  const connections = new Map<string, Connection>();
  const people = new Map<string, Set<Connection>>();
  const underWay = new Set<Promise<void>>();
  const ended: string[] = [];
  let ending: NodeJS.Timeout | undefined;
  let onEmpty = (): void => undefined;
  let stopped: Promise<void> | undefined;

  const owe = (work: Promise<void>): void => {
    const guarded = work.catch((error: unknown) => {
      log.warn(
        { cause: error instanceof Error ? error.name : 'unknown' },
        'push: the ledger fails',
      );
    });
    underWay.add(guarded);
    void guarded.then(() => underWay.delete(guarded));
  };

  const feed = createPushFeed({
    ...{ ledger, policy, log, gateway },
    connectionsOf: (person) => people.get(nameOf(person)) ?? [],
    connections: () => connections.values(),
  });

  const ticking = setInterval(() => {
    const at = performance.now();
    for (const connection of connections.values()) connection.tick(at);
  }, TICK_MS);
  ticking.unref();

  const endSession = (id: string): void => {
    ended.push(id);
    ending ??= setTimeout(() => {
      ending = undefined;
      owe(ledger.endPushSessions(ended.splice(0)));
    }, ENDS_MS);
  };

  const remove = (connection: Connection): void => {
    const { session } = connection;
    if (!connections.delete(session.id)) return;
    const name = nameOf(session);
    const others = people.get(name);
    others?.delete(connection);
    if (others?.size === 0) people.delete(name);
    endSession(session.id);
    if (connections.size === 0) {
      feed.pause();
      onEmpty();
    }
  };

  /** PH-2. */
  const acknowledge = async (session: PushSession, id: string): Promise<void> => {
    const taken = await ledger.acknowledgePush(session, id, now(), policy.confirmMs);
    if (taken === undefined) return;
    try {
      await options.confirm(taken.alertId, taken.deliveryId);
    } catch {
      return;
    }
    await ledger.pushConfirmed(taken);
  };

  const hear = (connection: Connection, frame: Buffer, isBinary: boolean): void => {
    if (!connection.heard()) {
      connection.close(CLOSE.policy, 'too many frames a second');
      return;
    }
    if (isBinary) {
      connection.close(CLOSE.noText, 'expected text');
      return;
    }
    const said = readFrame(frame.toString('utf8'));
    if (said.type === 'unreadable') {
      connection.close(CLOSE.policy, 'expected {"type":"ack","id":"…"}');
    } else if (said.type === 'ack') {
      owe(acknowledge(connection.session, said.id));
    }
  };

  const begin = async (connection: Connection): Promise<void> => {
    const { session } = connection;
    try {
      const since = now() - policy.keepMs;
      const missed = await ledger.missedPush(session, since, policy.missed);
      if (!connections.has(session.id)) return;
      feed.begin(missed.upTo);
      await connection.begin(missed);
    } catch (error) {
      connection.drop('ledger');
      throw error;
    }
  };

  return {
    size: () => connections.size,
    release: ({ id }) => {
      endSession(id);
    },
    add: (socket, session) => {
      const dropped = (why: DropReason): void => {
        log.info({ session: session.id, why }, 'push: a client was dropped');
      };
      const monotonic = (): number => performance.now();
      const connection = createConnection({ socket, session, policy, now: monotonic, dropped });
      socket.on('message', (frame: Buffer, isBinary) => {
        hear(connection, frame, isBinary);
      });
      socket.on('pong', () => {
        connection.answered();
      });
      // What is wrong with it ends it, and its end is what counts.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        remove(connection);
      });
      connections.set(session.id, connection);
      const name = nameOf(session);
      const others = people.get(name);
      if (others === undefined) people.set(name, new Set([connection]));
      else others.add(connection);
      if (stopped === undefined) owe(begin(connection));
      else connection.drop('end');
    },
    stop: (graceMs) => {
      stopped ??= (async () => {
        clearInterval(ticking);
        const empty = new Promise<void>((resolve) => {
          onEmpty = resolve;
          if (connections.size === 0) resolve();
        });
        for (const connection of connections.values())
          connection.close(CLOSE.restart, 'come again');
        const cut = setTimeout(() => {
          for (const connection of connections.values()) connection.drop('end');
        }, graceMs);
        await empty;
        clearTimeout(cut);
        await feed.stop();
        clearTimeout(ending);
        await Promise.race([Promise.all(underWay), afterMs(graceMs)]);
        // A ledger that hangs must not keep a gateway alive: its sessions go stale by themselves.
        await Promise.race([
          ledger.endPushGateway(gateway).catch(() => undefined),
          afterMs(graceMs),
        ]);
      })();
      return stopped;
    },
  };
}

function nameOf({ org, recipient }: { org: string; recipient: string }): string {
  return `${org}\n${recipient}`;
}

function afterMs(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
