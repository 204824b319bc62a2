/** Every channel by its name. A name of the domain that is missing in the table does not compile. */
import type { ChannelName } from '../domain/words.js';
import type { Guard } from './address-guard.js';
import type { Channel } from './channel.js';
import { createEmailChannel, type EmailOptions } from './email.js';
import { createPagerdutyChannel, type PagerdutyOptions } from './pagerduty.js';
import { createSlackChannel } from './slack.js';
import { createSmsChannel, type SmsOptions } from './sms.js';
import { createWebhookChannel } from './webhook.js';

export type { Channel } from './channel.js';

export interface ChannelOptions {
  /** Without it there is no email: a sender must be named. */
  readonly email?: EmailOptions;
  /** Without it there is no text message: an account must be named. */
  readonly sms?: SmsOptions;
  readonly pagerduty?: PagerdutyOptions;
  /** Where customers' own addresses may lead. @default the public internet only */
  readonly guard?: Guard;
}

/** What can be sent; a name that is not in it is recorded as `unsupported_channel` (A10). */
export type Channels = Readonly<Partial<Record<ChannelName, Channel>>>;

/** A channel that this build or this configuration does not send. */
const unsupported = undefined;

export function createChannels(options: ChannelOptions = {}): Channels {
  const guarded = options.guard === undefined ? {} : { guard: options.guard };
  const table: Readonly<Record<ChannelName, Channel | undefined>> = {
    email: options.email === undefined ? unsupported : createEmailChannel(options.email),
    slack: createSlackChannel(guarded),
    webhook: createWebhookChannel(guarded),
    pagerduty: createPagerdutyChannel(options.pagerduty),
    sms: options.sms === undefined ? unsupported : createSmsChannel(options.sms),
    // No request leaves from here: it is offered through the ledger to whoever is connected (push.ts).
    push: unsupported,
    // A decision of the period, enforced by the ledger (K1): there is nothing to send.
    kill: unsupported,
  };
  const channels: Partial<Record<ChannelName, Channel>> = {};
  for (const channel of Object.values(table)) {
    if (channel !== undefined) channels[channel.name] = channel;
  }
  return channels;
}
