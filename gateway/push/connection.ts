/**
 * One socket of a person.
 * PC-1. First what was missed, then what comes, each change once: what comes while the missed is
 *       read and sent waits, and what was in it is left out.
 * PC-2. Nothing waits for a client without bound: one that does not read is dropped once more than
 *       `bufferBytes` would wait for it.
 */
import type { WebSocket } from 'ws';
import type { MissedPush, PushSession } from '../../ledger/ledger.js';
import { ALIVE, helloFrame } from './frames.js';
import { CLOSE, type PushPolicy } from './policy.js';

export interface OutgoingChange {
  readonly rev: number;
  readonly frame: Buffer;
}

export interface Connection {
  readonly session: PushSession;
  /** A change of the ledger, in their order. */
  send(change: OutgoingChange): void;
  /** Sends what was missed; from then on changes go out as they come. */
  begin(missed: MissedPush): Promise<void>;
  /** The ledger counts anew: nothing of what comes was sent. */
  forgetRev(upTo: number): void;
  /** Heartbeat and age, once in a while; `at` by the clock of `now`. */
  tick(at: number): void;
  /** Whether the client may say something more just now. */
  heard(): boolean;
  answered(): void;
  close(code: number, reason: string): void;
  /** At once, without a word. */
  drop(why: DropReason): void;
}

export type DropReason = 'buffer' | 'silent' | 'ledger' | 'end';

export interface ConnectionOptions {
  readonly socket: WebSocket;
  readonly session: PushSession;
  readonly policy: PushPolicy;
  /** Ms of a clock that nobody sets. */
  readonly now: () => number;
  readonly dropped: (why: DropReason) => void;
}

export function createConnection(options: ConnectionOptions): Connection {
  const { socket, session, policy, now, dropped } = options;
  let waiting: OutgoingChange[] | undefined = [];
  let waitingBytes = 0;
  let upTo = 0;
  let missedPings = 0;
  // Sockets that were opened together are not pinged together.
  let nextPingAt = now() + policy.pingMs * (0.5 + Math.random() / 2);
  let frames = 0;
  let framesSince = now();
  let isDropped = false;
  const openedAt = now();

  const drop = (why: DropReason): void => {
    if (isDropped) return;
    isDropped = true;
    waiting = [];
    socket.terminate();
    dropped(why);
  };

  /** PC-2. */
  const put = (frame: Buffer | string): void => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount + frame.length > policy.bufferBytes) drop('buffer');
    else socket.send(frame, { binary: false });
  };

  const putAndWait = (frame: string): Promise<void> =>
    new Promise((resolve) => {
      // A socket that is gone has told its end; what was not sent waits in the ledger.
      socket.send(frame, () => {
        resolve();
      });
    });

  const send = (change: OutgoingChange): void => {
    if (isDropped) return;
    if (waiting === undefined) {
      if (change.rev <= upTo) return;
      upTo = change.rev;
      put(change.frame);
      return;
    }
    waitingBytes += change.frame.length;
    if (waitingBytes > policy.bufferBytes) drop('buffer');
    else waiting.push(change);
  };

  return {
    session,
    send,
    begin: async (missed) => {
      upTo = missed.upTo;
      await putAndWait(helloFrame(missed.messages.length, missed.waiting));
      for (const { body } of missed.messages) {
        if (socket.readyState !== socket.OPEN) return;
        await putAndWait(body);
      }
      const held = waiting ?? [];
      waiting = undefined;
      for (const change of held) send(change);
    },
    forgetRev: (rev) => {
      upTo = Math.min(upTo, rev);
    },
    tick: (at) => {
      if (at - openedAt >= policy.maxAgeMs) {
        socket.close(CLOSE.restart, 'come again with a new ticket');
        return;
      }
      if (at < nextPingAt) return;
      nextPingAt = at + policy.pingMs;
      if (missedPings >= policy.missedPings) {
        drop('silent');
        return;
      }
      missedPings += 1;
      if (socket.readyState !== socket.OPEN) return;
      socket.ping();
      put(ALIVE);
    },
    heard: () => {
      missedPings = 0;
      const at = now();
      if (at - framesSince >= 1_000) {
        framesSince = at;
        frames = 0;
      }
      frames += 1;
      return frames <= policy.frames;
    },
    answered: () => {
      missedPings = 0;
    },
    close: (code, reason) => {
      socket.close(code, reason);
    },
    drop,
  };
}
