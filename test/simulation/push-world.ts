/**
 * A hub with sockets that only record, and a ledger in memory whose statements see what is there at
 * one moment (as a database's do), but begin and are answered any number of turns earlier or later.
 */
import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';
import { createPushHub } from '../../gateway/push/hub.js';
import { DEFAULT_PUSH_POLICY } from '../../gateway/push/policy.js';
import type { PushLedger, PushSession } from '../../ledger/ledger.js';
import type { Dice } from './dice.js';

const ADA = { org: 'acme', recipient: 'ada' };

interface Message {
  readonly id: string;
  rev: number;
  isTaken: boolean;
}

/** As much of a socket as the hub uses. */
export class RecordingSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  readonly frames: { readonly type: string; readonly id?: string }[] = [];

  send(frame: Buffer | string, options?: unknown, done?: () => void): void {
    this.frames.push(JSON.parse(frame.toString()) as { type: string });
    const called = typeof options === 'function' ? (options as () => void) : done;
    if (called !== undefined) setImmediate(called);
  }
  ping(): void {
    this.emit('pong');
  }
  close(): void {
    this.terminate();
  }
  terminate(): void {
    if (this.readyState !== this.OPEN) return;
    this.readyState = 3;
    setImmediate(() => this.emit('close'));
  }
  ack(id: string): void {
    this.emit('message', Buffer.from(JSON.stringify({ type: 'ack', id })), false);
  }
  idsOf(type: string): string[] {
    return this.frames.filter((each) => each.type === type).map(({ id }) => id ?? '');
  }
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

export function createPushWorld(dice: Dice) {
  let rev = 0;
  const messages = new Map<string, Message>();
  const sessions = new Set<string>();
  const told: string[] = [];
  let ring = (): void => undefined;
  /** What it reads or writes is of one moment. */
  const statement = async <T>(atOnce: () => T): Promise<T> => {
    await turns(dice.between(0, 3));
    const answer = atOnce();
    await turns(dice.between(0, 3));
    return answer;
  };
  /** Sometimes nobody is told, and polling has to find it. */
  const changed = (): void => {
    if (dice.chance(0.67)) setImmediate(ring);
  };
  const bodyOf = (id: string): string => JSON.stringify({ type: 'notification', id });

  const ledger: PushLedger = {
    offerPush: ({ id }) =>
      statement(() => {
        rev += 1;
        messages.set(id, { id, rev, isTaken: false });
        changed();
        return { type: 'offered', confirmWithinMs: 5_000 };
      }),
    putPushTicket: () => Promise.resolve(),
    redeemPushTicket: (_hash, { id, gateway }) =>
      statement(() => {
        sessions.add(id);
        return { type: 'opened', session: { id, gateway, ...ADA, openedAt: 0 } } as const;
      }),
    missedPush: () =>
      statement(() => {
        const open = [...messages.values()].filter(({ isTaken }) => !isTaken);
        const missed = open.map(({ id }) => ({ id, body: bodyOf(id) }));
        return { messages: missed, waiting: missed.length, upTo: rev };
      }),
    pushChanges: (_gateway, after, limit) =>
      statement(() => {
        const all = [...messages.values()].filter((each) => each.rev > after && sessions.size > 0);
        const some = all.sort((a, b) => a.rev - b.rev).slice(0, limit);
        const changes = some.map((each) => ({
          ...{ rev: each.rev, id: each.id, ...ADA },
          ...(each.isTaken ? {} : { body: bodyOf(each.id) }),
        }));
        const last = changes.length < limit ? undefined : changes.at(-1);
        return { changes, upTo: last?.rev ?? rev };
      }),
    beatPush: () => Promise.resolve('known'),
    putPushSessions: () => Promise.resolve(),
    endPushSessions: (ids) =>
      statement(() => {
        for (const id of ids) sessions.delete(id);
      }),
    endPushGateway: () => Promise.resolve(),
    acknowledgePush: (_person, id) =>
      statement(() => {
        const message = messages.get(id);
        if (message === undefined || message.isTaken) return undefined;
        rev += 1;
        Object.assign(message, { rev, isTaken: true });
        changed();
        return { org: ADA.org, id, alertId: `alert/${id}`, deliveryId: `${id}/0` };
      }),
    claimPushConfirmations: () => Promise.resolve([]),
    pushConfirmed: () => Promise.resolve(),
    sweepPush: () => Promise.resolve(),
    watchPush: (wake) => {
      ring = wake;
      return Promise.resolve({ pollMs: 2, stop: () => Promise.resolve() });
    },
  };
  const ignore = (): void => undefined;
  const hub = createPushHub({
    ...{ ledger, gateway: 'g1', now: () => 0 },
    confirm: (_alert, delivery) => {
      told.push(delivery);
      return Promise.resolve();
    },
    policy: { ...DEFAULT_PUSH_POLICY, batch: 2 },
    log: { info: ignore, warn: ignore, error: ignore },
  });
  let opened = 0;
  return {
    ...{ hub, told },
    offer: async (id: string): Promise<void> => {
      const ref = {
        ...{ org: ADA.org, alertId: id, deliveryId: id },
        ...({ purpose: 'fire', channel: 'push' } as const),
      };
      await ledger.offerPush({ ref, recipient: 'ada', id, body: bodyOf(id) }, 0);
    },
    connect: async (): Promise<RecordingSocket> => {
      opened += 1;
      const wanted = { id: `s${String(opened)}`, gateway: 'g1' };
      const redeemed = await ledger.redeemPushTicket('', wanted, 20, 0);
      const { session } = redeemed as { session: PushSession };
      const socket = new RecordingSocket();
      hub.add(socket as unknown as WebSocket, session);
      return socket;
    },
    takenOf: () => [...messages.values()].filter(({ isTaken }) => isTaken).map(({ id }) => id),
  };
}
