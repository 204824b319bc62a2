/**
 * From the ledger to the sockets of this gateway: looks when told that something changed, and every
 * so often anyway; and beats, so that the ledger counts these sockets.
 * PF-1. It goes on from the last number it has seen, so it misses nothing (PU-1); it begins where
 *       the missed messages of the first sockets end. What is read again, connections know (PC-1).
 */
import type { PushChange, PushLedger, PushPerson, PushSession } from '../../ledger/ledger.js';
import type { Logger } from '../options.js';
import type { Connection } from './connection.js';
import { acknowledgedFrame } from './frames.js';
import type { PushPolicy } from './policy.js';

export interface PushFeedOptions {
  readonly ledger: Pick<PushLedger, 'pushChanges' | 'beatPush' | 'putPushSessions' | 'watchPush'>;
  readonly policy: PushPolicy;
  readonly log: Logger;
  readonly gateway: string;
  readonly connectionsOf: (person: PushPerson) => Iterable<Connection>;
  readonly connections: () => Iterable<Connection>;
}

export interface PushFeed {
  /** Somebody is connected, and has all up to there. */
  begin(upTo: number): void;
  /** Nobody is connected any more. */
  pause(): void;
  stop(): Promise<void>;
}

export function createPushFeed(options: PushFeedOptions): PushFeed {
  const { ledger, policy, log, gateway } = options;
  let cursor: number | undefined;
  /** Where it was when the first one came. */
  let beganAt = 0;
  /** Counts beginnings, so that a look of an earlier one changes nothing. */
  let life = 0;
  let looking: Promise<void> | undefined;
  let isWanted = false;
  let isAway = false;
  let pollMs = policy.beatMs;
  let timer: NodeJS.Timeout | undefined;
  let beating: NodeJS.Timeout | undefined;
  let isBeating = false;

  const failed = (error: unknown): void => {
    const cause = error instanceof Error ? error.name : 'unknown';
    if (!isAway) log.warn({ cause }, 'push: the ledger fails; it is asked again');
    isAway = true;
  };

  const deliver = (change: PushChange): void => {
    const frame = Buffer.from(change.body ?? acknowledgedFrame(change.id));
    for (const connection of options.connectionsOf(change)) {
      connection.send({ rev: change.rev, frame });
    }
  };

  /** Answers whether there may be more. */
  const read = async (after: number): Promise<boolean> => {
    const mine = life;
    const { changes, upTo } = await ledger.pushChanges(gateway, after, policy.batch);
    if (isAway) log.info({}, 'push: the ledger is back');
    isAway = false;
    if (mine !== life) return false;
    if (upTo < after) {
      // Another life of the ledger, which counts anew.
      for (const connection of options.connections()) connection.forgetRev(upTo);
    }
    changes.forEach(deliver);
    cursor = upTo;
    return changes.length === policy.batch;
  };

  const readAll = async (): Promise<void> => {
    try {
      while (isWanted && cursor !== undefined) {
        isWanted = false;
        if (await read(cursor)) isWanted = true;
      }
    } catch (error) {
      failed(error);
    }
  };

  const look = (): void => {
    isWanted = true;
    if (looking !== undefined || cursor === undefined) return;
    clearTimeout(timer);
    looking = readAll().then(() => {
      looking = undefined;
      if (cursor === undefined) return;
      clearTimeout(timer);
      timer = setTimeout(look, pollMs);
      timer.unref();
    });
  };

  const beat = async (): Promise<void> => {
    if (isBeating) return;
    isBeating = true;
    try {
      if ((await ledger.beatPush(gateway)) === 'new') {
        // It was silent for so long that it was forgotten, and its sockets with it.
        const sessions: PushSession[] = [];
        for (const { session } of options.connections()) sessions.push(session);
        if (sessions.length > 0) await ledger.putPushSessions(sessions);
      }
    } catch (error) {
      failed(error);
    }
    isBeating = false;
  };

  const watching = ledger.watchPush(look);
  watching.then(
    (watch) => {
      pollMs = watch.pollMs;
    },
    (error: unknown) => {
      failed(error);
    },
  );

  const pause = (): void => {
    life += 1;
    cursor = undefined;
    clearTimeout(timer);
    clearInterval(beating);
    beating = undefined;
  };

  return {
    begin: (upTo) => {
      // Of two who come at once the one who was answered later may know less.
      if (cursor !== undefined && upTo >= beganAt) return;
      life += 1;
      beganAt = upTo;
      cursor = upTo;
      if (beating === undefined) {
        beating = setInterval(() => void beat(), policy.beatMs);
        beating.unref();
      }
      look();
    },
    pause,
    stop: async () => {
      pause();
      await looking;
      await watching.then((watch) => watch.stop()).catch(() => undefined);
    },
  };
}
