/** The target of a synced entry: checked for its form, and never repeated in an answer. */
import { assertNever } from '../domain/step.js';
import type { ChannelName } from '../domain/words.js';
import type { NewDestination } from '../ledger/ledger.js';
import { unprocessable, type SyncedAlert } from './schemas.js';

/** C3. Without a target the organisation's default destination is meant. `kill` has none. */
export function readTarget(
  channel: ChannelName,
  synced: SyncedAlert,
  path: string,
): NewDestination | undefined {
  const address = synced.target?.trim() ?? '';
  if (channel === 'kill' || address === '') return undefined;
  const expected = expectedForm(channel, address);
  if (expected !== undefined) throw unprocessable(`${path}.target`, `expected ${expected}`);
  const secret = synced.secret ?? '';
  return { channel, address, ...(secret === '' ? {} : { secrets: [secret] }) };
}

/** What the channel wants, where the address is not of that form. */
export function expectedForm(channel: ChannelName, address: string): string | undefined {
  switch (channel) {
    case 'email':
      return /^[^\s@<>,;\p{Cc}\p{Surrogate}]+@[^\s@<>,;\p{Cc}\p{Surrogate}]+$/u.test(address)
        ? undefined
        : 'one email address';
    case 'slack':
    case 'webhook':
      return isHttpUrl(address) ? undefined : 'an http or https URL';
    case 'pagerduty':
    case 'sms':
    case 'push':
    case 'kill':
      return /^[\x20-\x7e]+$/.test(address) ? undefined : 'printable ASCII';
    default:
      return assertNever(channel);
  }
}

function isHttpUrl(text: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}
