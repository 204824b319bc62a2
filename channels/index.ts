/** Every channel by its name. A name of the domain that is missing in the table does not compile. */
import type { ChannelName } from '../domain/words.js';
import type { Channel } from './channel.js';
import { createEmailChannel, type EmailOptions } from './email.js';
import { createSlackChannel } from './slack.js';
import { createWebhookChannel } from './webhook.js';

export type { Channel } from './channel.js';

export interface ChannelOptions {
  /** Without it there is no email: a sender must be named. */
  readonly email?: EmailOptions;
}

/** What can be sent; a name that is not in it is recorded as `unsupported_channel` (A10). */
export type Channels = Readonly<Partial<Record<ChannelName, Channel>>>;

/** A channel that this build or this configuration does not send. */
const unsupported = undefined;

export function createChannels(options: ChannelOptions = {}): Channels {
  const table: Readonly<Record<ChannelName, Channel | undefined>> = {
    email: options.email === undefined ? unsupported : createEmailChannel(options.email),
    slack: createSlackChannel(),
    webhook: createWebhookChannel(),
    push: unsupported,
    sms: unsupported,
    pagerduty: unsupported,
    // A decision of the period, enforced by the ledger (K1): there is nothing to send.
    kill: unsupported,
  };
  const channels: Partial<Record<ChannelName, Channel>> = {};
  for (const channel of Object.values(table)) {
    if (channel !== undefined) channels[channel.name] = channel;
  }
  return channels;
}
