/**
 * The only file of the SDK that loads channels, each when its first alert is to be sent: an agent
 * that tells Slack loads no mail.
 * SE-1. A11. Rendering is pure (C-1) and an alert is frozen: every attempt sends the same bytes.
 * SE-2. Never throws: what goes wrong is an outcome, without addresses and keys (C-4).
 */
import type { Guard } from '../../channels/address-guard.js';
import type { Channel, OpenDestination } from '../../channels/channel.js';
import type { Outcome } from '../../domain/alert/outcome.js';
import type { AlertInput, Delivery } from '../../domain/alert/state.js';
import type { ChannelConfig, ChannelType } from '../channel.js';
import { causeOf } from '../engine/cause.js';
import type { Logger, StandaloneOptions } from '../options.js';

export interface Sending {
  readonly input: AlertInput;
  readonly delivery: Pick<Delivery, 'id' | 'route' | 'purpose'>;
  readonly idempotencyKey: string;
  /** Epoch ms. */
  readonly now: number;
}

export type Send = (sending: Sending) => Promise<Outcome>;

export interface SendOptions {
  readonly channels: readonly ChannelConfig[];
  readonly standalone: StandaloneOptions;
  readonly logger: Logger;
}

/** A whole attempt, ms: also the longest that one keeps a process that would end. */
const TIMEOUT_MS = 4_000;
/** Resend lets any key send from it, to the key's owner. */
const RESEND_OWN = 'Kavach <onboarding@resend.dev>';

export function createSend(options: SendOptions): Send {
  const { channels } = options;
  const opened = new Map<string, Promise<Channel>>();
  const channelOf = (type: Exclude<ChannelType, 'kill'>): Promise<Channel> => {
    const known = opened.get(type);
    if (known !== undefined) return known;
    const opening = openChannel(type, options);
    opened.set(type, opening);
    opening.catch(() => opened.delete(type));
    return opening;
  };

  return async ({ input, delivery, idempotencyKey, now }) => {
    const config = channels[Number(delivery.route.destination)];
    if (config === undefined || config.type === 'kill') return unsendable('nowhere to send it');
    try {
      const channel = await channelOf(config.type);
      const { alertViewOf } = await import('../../channels/alert-view.js');
      const destination = destinationOf(config);
      const view = alertViewOf(input, delivery.purpose, '');
      const message = channel.render(view, destination.template);
      const request = { message, destination, idempotencyKey, now, timeoutMs: TIMEOUT_MS };
      return await channel.deliver(request);
    } catch (error) {
      return unsendable(`the channel cannot be used here (${causeOf(error)})`);
    }
  };
}

function unsendable(reason: string): Outcome {
  return { kind: 'permanent_config', reason };
}

async function openChannel(
  type: Exclude<ChannelType, 'kill'>,
  options: SendOptions,
): Promise<Channel> {
  const { emailFrom = RESEND_OWN, resendUrl, pagerdutyUrl } = options.standalone;
  switch (type) {
    case 'slack': {
      const { createSlackChannel } = await import('../../channels/slack.js');
      return createSlackChannel({ guard: await openGuard(options) });
    }
    case 'webhook': {
      const { createWebhookChannel } = await import('../../channels/webhook.js');
      return createWebhookChannel({ guard: await openGuard(options) });
    }
    case 'pagerduty': {
      const { createPagerdutyChannel } = await import('../../channels/pagerduty.js');
      return createPagerdutyChannel(pagerdutyUrl === undefined ? {} : { baseUrl: pagerdutyUrl });
    }
    case 'email': {
      const { createEmailChannel } = await import('../../channels/email.js');
      const base = resendUrl === undefined ? {} : { baseUrl: resendUrl };
      return createEmailChannel({ from: emailFrom, ...base });
    }
  }
}

async function openGuard({
  standalone: { allowTargets = [] },
  logger,
}: SendOptions): Promise<Guard> {
  const { createGuard } = await import('../../channels/address-guard.js');
  const { readAllowList } = await import('../../channels/allow-list.js');
  const { rules, faults } = readAllowList(allowTargets.join(','));
  for (const fault of faults) logger.error?.(`The option standalone.allowTargets: ${fault}.`);
  return createGuard({ allow: rules });
}

function destinationOf(channel: Exclude<ChannelConfig, { type: 'kill' }>): OpenDestination {
  switch (channel.type) {
    case 'email':
      return { address: channel.to, ...secrets(channel.apiKey) };
    case 'slack': {
      const { webhookUrl: address, template } = channel;
      return { address, ...(template === undefined ? {} : { template }) };
    }
    case 'pagerduty':
      return { address: channel.routingKey };
    case 'webhook':
      return { address: channel.url, ...secrets(channel.secret) };
  }
}

function secrets(secret: string | undefined): Pick<OpenDestination, 'secrets'> {
  return secret === undefined ? {} : { secrets: [secret] };
}
