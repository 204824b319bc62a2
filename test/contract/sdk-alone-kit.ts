/** A guard without any service whose time a test owns; its channels lead to the sink. */
import { onTestFinished } from 'vitest';
import { startSink, type Sink } from '../../fakes/sink.js';
import type { Admission } from '../../sdk/admission.js';
import { AgentKavach, type AgentKavachOptions } from '../../sdk/index.js';
import { createStandaloneAdmission } from '../../sdk/standalone/admission.js';
import type { Send, Sending } from '../../sdk/standalone/send.js';
import { createVirtualTimers, type VirtualTimers } from '../support/virtual-timers.js';

/** A Saturday, 12:00 UTC. */
export const NOON = Date.UTC(2026, 10, 21, 12);

export interface Said {
  readonly level: string;
  readonly message: string;
  readonly fields: object;
}

export interface AloneKit {
  readonly guard: AgentKavach;
  readonly admission: Admission;
  readonly timers: VirtualTimers;
  readonly kills: readonly string[];
  readonly said: readonly Said[];
  /** Waits until somebody has said it. */
  readonly heard: (part: string) => Promise<void>;
  /** Jobs that hold the process. */
  readonly held: () => number;
}

export function aloneOf(options: Partial<AgentKavachOptions>, send?: Send): AloneKit {
  const timers = createVirtualTimers(NOON);
  const kills: string[] = [];
  const said: Said[] = [];
  const listeners = new Set<() => void>();
  let held = 0;
  let admission: Admission | undefined;
  const say =
    (level: string) =>
    (message: string, fields: object = {}): void => {
      said.push({ level, message, fields });
      for (const listener of [...listeners]) listener();
    };
  const clock = { wall: () => timers.now(), mono: () => timers.now() };
  const hold = (): (() => void) => {
    held += 1;
    return () => {
      held -= 1;
    };
  };
  const guard = new AgentKavach(
    {
      ...{ agentName: 'research-bot', standalone: true, runId: 'run-1' },
      onKill: (reason) => kills.push(reason),
      logger: { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
      ...options,
    },
    {
      environment: {},
      now: () => timers.now(),
      createAdmission: ({ settings }) => {
        const surroundings = {
          clock,
          timers: { after: (ms: number, run: () => void) => timers.after(ms, run), hold },
        };
        admission = createStandaloneAdmission(settings, {
          ...surroundings,
          ...(send === undefined ? {} : { send }),
        });
        return admission;
      },
    },
  );
  if (admission === undefined) throw new Error('The guard has made no admission.');
  const heard = (part: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!said.some(({ message }) => message.includes(part))) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
    });
  return { guard, admission, timers, kills, said, heard, held: () => held };
}

export async function openSink(): Promise<Sink> {
  const sink = await startSink();
  onTestFinished(() => sink.stop());
  return sink;
}

/** Waits until so many requests have come. */
export function requested(sink: Sink, count: number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (sink.requests.length < count) return;
      off();
      resolve();
    };
    const off = sink.onRequest(look);
    look();
  });
}

/** Takes everything at once, and remembers it. */
export function takingSend(): { readonly send: Send; readonly sent: Sending[] } {
  const sent: Sending[] = [];
  const send: Send = (sending) => {
    sent.push(sending);
    return Promise.resolve({ kind: 'accepted', reason: 'taken' });
  };
  return { send, sent };
}

/** A call that costs what its worst case says. */
export function spend(guard: AgentKavach, usd: number): Promise<void> {
  return guard.call({ model: 'gpt-4o', usd, tokens: 10 }, (bill) => {
    bill({ inputTokens: 10, outputTokens: 0, usd });
  });
}
