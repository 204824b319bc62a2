/**
 * What the ledger meets that its operators have to hear of (A15, B6, spec §8): a model without a
 * price, usage that was set aside, alerts that have nowhere to go. Each once a day; what this
 * process has said already does not ask the database again.
 */
import type { ServiceNoticeKind } from '../domain/alert/notice.js';
import type { Database } from './database.js';
import type { DeliveryRef, IngestBatch, QuarantinedEvent } from './ledger.js';
import { ownerOfKey } from './keys.js';
import { tellOperators } from './notices.js';

export interface SelfWatch {
  /** Before the batch is stored: what is told too much is harmless, what is told too little is not. */
  usage(batch: IngestBatch): Promise<void>;
  quarantined(events: readonly QuarantinedEvent[]): Promise<void>;
  noDestination(ref: DeliveryRef, now: number): Promise<void>;
  /** Of a key that was ours: whoever still uses it is not counted any more, and may go on spending. */
  keyRefused(hash: string, now: number): Promise<void>;
}

const REMEMBERED = 10_000;
const NAME_LIMIT = 120;

export function createSelfWatch(db: Database): SelfWatch {
  const told = new Set<string>();
  const tell = async (
    org: string,
    kind: ServiceNoticeKind,
    { about, text, at }: { about: string; text: string; at: number },
  ): Promise<void> => {
    const once = `${about} ${dayOf(at)}`;
    const name = JSON.stringify([org, kind, once]);
    if (told.has(name)) return;
    await tellOperators(db.run, org, { kind, text, once }, at);
    if (told.size >= REMEMBERED) told.clear();
    told.add(name);
  };
  return {
    usage: async ({ org, events, now }) => {
      const unpriced = events.filter(({ flags }) => flags.includes('unpriced'));
      const models = new Map(unpriced.map((event) => [`${event.provider}/${event.model}`, event]));
      for (const [name, { agent }] of models) {
        const model = JSON.stringify(name.slice(0, NAME_LIMIT));
        const user = JSON.stringify(agent.slice(0, NAME_LIMIT));
        const text =
          `The model ${model}, used by ${user}, has no price: its calls count as $0. ` +
          'Send `cost` with its events, or budget its tokens.';
        await tell(org, 'unpriced', { about: name, text, at: now });
      }
    },
    quarantined: async (events) => {
      const firsts = new Map(
        events.toReversed().map((event) => [`${event.what ?? 'usage'} ${event.org}`, event]),
      );
      for (const { org, what = 'usage', at, path, problem } of firsts.values()) {
        const said = what === 'usage' ? 'Usage was' : 'Metrics were';
        const lost = what === 'usage' ? 'does not count' : 'are held against no rule';
        const text =
          `${said} set aside and ${lost}: ${path.slice(0, NAME_LIMIT)}: ` +
          `${problem.slice(0, 200)}. It is the first of today; the ledger keeps all of them.`;
        await tell(org, 'quarantined', { about: what, text, at });
      }
    },
    keyRefused: async (hash, now) => {
      const key = await ownerOfKey(db, hash);
      if (key === undefined) return;
      const name = JSON.stringify(key.name.slice(0, NAME_LIMIT));
      const text =
        `Requests with the API key ${name} (${key.id}) are refused: it was revoked, or rotated and ` +
        'its grace is over. What such an agent spends is not counted, and no kill reaches it: ' +
        'give it another key, or end it where it runs.';
      await tell(key.org, 'key_refused', { about: key.id, text, at: now });
    },
    noDestination: ({ org, channel, destination }, now) => {
      const what =
        destination === undefined
          ? `there is no default destination for ${channel}`
          : `the ${channel} destination ${destination} is unknown`;
      const text = `An alert was not sent by ${channel}: ${what}.`;
      return tell(org, 'no_destination', {
        about: `${channel} ${destination ?? ''}`,
        text,
        at: now,
      });
    },
  };
}

/** The UTC day of a moment: `2026-11-21`. */
function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
