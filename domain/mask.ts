/**
 * What people see of an address: enough to tell two apart, not enough to use one. Webhooks and
 * keys are credentials, so of a URL only the host stays, of a key nothing but its end.
 */
import { assertNever } from './step.js';
import type { ChannelName } from './words.js';

/** `https://hooks.slack.com/services/T0/x -> hooks.slack.com`, `jane@acme.com -> j***@acme.com`. */
export function maskAddress(channel: ChannelName, address: string): string {
  switch (channel) {
    case 'email': {
      const at = address.lastIndexOf('@');
      // A whole character: of an emoji the first half is no text.
      const [first = ''] = address;
      return at < 1 ? '***' : `${first}***${address.slice(at)}`.toWellFormed();
    }
    case 'slack':
    case 'webhook':
      // The host of `https://user:secret@host:1/path`, without asking a parser that may refuse it.
      return /^[a-z]+:\/\/(?:[^/?#]*@)?([^/?#@]+)/i.exec(address)?.[1] ?? '***';
    case 'sms':
    case 'pagerduty':
      return `***${address.slice(-2)}`;
    case 'push':
    case 'kill':
      return '***';
    default:
      return assertNever(channel);
  }
}
