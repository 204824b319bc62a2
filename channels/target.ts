/** What a customer gives as an address of a channel, checked before anything is sent there. */
import type { ChannelName } from '../domain/words.js';
import type { Guard } from './address-guard.js';

/** Incoming webhooks of Slack, and of its cloud for the US government. */
export const SLACK_HOSTS: readonly string[] = ['hooks.slack.com', 'hooks.slack-gov.com'];

/**
 * The URL to post to, or why there is none, in words without the address (C-4). With `pinnedTo`
 * only these hosts will do, so that a synced configuration cannot make one channel into another.
 */
export function parseTarget(
  address: string,
  guard: Guard,
  pinnedTo?: readonly string[],
): URL | string {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return 'the address is not a URL: set a full https address';
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return 'the address is neither http nor https: set an https address';
  }
  if (url.username !== '' || url.password !== '') {
    return 'the address holds a user name: use a signing secret instead';
  }
  return guard.refuse(url, pinnedTo) ?? url;
}

/** Why a channel will send nothing to that address; undefined where it may. */
export function refuseTarget(
  guard: Guard,
  channel: ChannelName,
  address: string,
): string | undefined {
  if (channel === 'push') return 'push goes to recipients who are connected, not to an address';
  if (channel === 'sms' && !/^\+[1-9]\d{6,14}$/.test(address)) {
    return 'the number is not written as +15551234567';
  }
  if (channel === 'email' && !/^[^\s@<>]+@[^\s@<>]+$/.test(address)) {
    return 'this is no email address';
  }
  if (channel !== 'slack' && channel !== 'webhook') return undefined;
  const url = parseTarget(address, guard, channel === 'slack' ? SLACK_HOSTS : undefined);
  return typeof url === 'string' ? url : undefined;
}
