/**
 * The port through which a contact's code is sent. The gateway may neither know channels nor see an
 * address (architecture.md §2, L-5): whoever starts it builds this from them.
 */
import type { OutcomeKind } from '../domain/alert/outcome.js';
import type { CodeToSend, ContactRef } from '../ledger/ledger.js';

export type SendCodeAnswer =
  | {
      readonly type: 'sent';
      /** Never an address: reasons are free of them (C-4). */
      readonly outcome: { readonly kind: OutcomeKind; readonly reason: string };
      /** Until then it is taken, epoch ms. */
      readonly until: number;
    }
  | { readonly type: 'unsupported_channel' }
  | Exclude<CodeToSend, { readonly type: 'send' }>;

/** Makes a code, stores its hash and sends it, once. */
export type SendCode = (contact: ContactRef) => Promise<SendCodeAnswer>;
