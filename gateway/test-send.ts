/**
 * The port through which one clearly marked test message is sent. The gateway may not know channels
 * (architecture.md §2): whoever starts it builds this from them.
 */
import type { OutcomeKind, Suppression } from '../domain/alert/outcome.js';
import type { ChannelName } from '../domain/words.js';

/** A channel that has messages: `kill` has none. */
export type SentChannel = Exclude<ChannelName, 'kill'>;

export interface TestSendRequest {
  readonly org: string;
  readonly channel: SentChannel;
  /**
   * An address of its own, a reference to one that was synced, or neither: the organisation's
   * default destination of the channel (C3).
   */
  readonly to?:
    | { readonly address: string; readonly secrets?: readonly string[] }
    | { readonly reference: string };
}

/** Never an address: reasons are free of them (C-4). */
export type TestSendAnswer =
  | {
      readonly type: 'sent';
      readonly outcome: { readonly kind: OutcomeKind; readonly reason: string };
    }
  | { readonly type: 'unsupported_channel' }
  /** `no_destination`, `unverified`, `unhealthy_destination`: what holds alerts back, too (A10). */
  | { readonly type: 'suppressed'; readonly reason: Suppression };

export type TestSend = (request: TestSendRequest) => Promise<TestSendAnswer>;
