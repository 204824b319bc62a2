/**
 * A9. Signed links to an alert's page: whoever got the message may open it, and act from it.
 * G-L1. The signature is an HMAC of the alert's id under a key of this installation: it opens that
 *       one page and nothing else, and a new key ends all links there are.
 * G-L4. It ends a week after the last thing that happened to its alert: whoever finds an old message
 *       reads nothing, and nobody has to hurry while the alert is alive.
 */
import { createHmac } from 'node:crypto';
import type { AlertView, AttemptView } from '../ledger/ledger.js';
import { isSame } from './same-text.js';

export interface AlertLinks {
  /** 22 characters: 128 bits, short enough for a text message. */
  sign(alertId: string): string;
  isSigned(alertId: string, signature: string): boolean;
}

/** As far as it says when something happened. */
interface FoundAlert {
  readonly alert: Pick<AlertView, 'raisedAt'>;
  readonly journal: readonly { readonly at: number }[];
  readonly attempts: readonly Pick<AttemptView, 'startedAt'>[];
}

/** The id a test message carries: its page says that there is nothing to do. */
export const TEST_ALERT_ID = 'alert/test';

export interface UnsubscribeLinks {
  sign(org: string, recipient: string): string;
  isSigned(org: string, recipient: string, signature: string): boolean;
}

const SIGNATURE_LENGTH = 22;
export const LINK_DAYS = 7;

/** G-L4. Epoch ms at which links to the alert end, as far as is known now. */
export function linkExpiresAt({ alert, journal, attempts }: FoundAlert): number {
  const moments = [...journal.map(({ at }) => at), ...attempts.map(({ startedAt }) => startedAt)];
  return moments.reduce((a, b) => Math.max(a, b), alert.raisedAt) + LINK_DAYS * 86_400_000;
}

export function createAlertLinks(key: string): AlertLinks {
  const sign = (alertId: string): string =>
    createHmac('sha256', key)
      .update(`kavach alert link\n${alertId}`)
      .digest('base64url')
      .slice(0, SIGNATURE_LENGTH);
  const isSigned = (alertId: string, signature: string): boolean =>
    isSame(signature, sign(alertId));
  return { sign, isSigned };
}

/** `https://kavach.example/alerts/alert%2Fdefault%2F…?t=…`; the base without a slash at its end. */
export function alertUrl(publicUrl: string, alertId: string, links: AlertLinks): string {
  return `${publicUrl}/alerts/${encodeURIComponent(alertId)}?t=${links.sign(alertId)}`;
}

/** Whose alert it is, by its id; undefined where the name was too long to be written out. */
export function orgOfAlert(alertId: string): string | undefined {
  const [head, org = ''] = alertId.split('/');
  if (head !== 'alert' || org === '' || org.includes('~')) return undefined;
  try {
    return decodeURIComponent(org);
  } catch {
    return undefined;
  }
}

/**
 * G-L5. It stops one recipient's digests and shows nothing, so it does not end: a mail is found and
 * clicked on years later.
 */
export function createUnsubscribeLinks(key: string): UnsubscribeLinks {
  const sign = (org: string, recipient: string): string =>
    createHmac('sha256', key)
      .update(`kavach unsubscribe link\n${JSON.stringify([org, recipient])}`)
      .digest('base64url')
      .slice(0, SIGNATURE_LENGTH);
  return {
    sign,
    isSigned: (org, recipient, signature) => isSame(signature, sign(org, recipient)),
  };
}

/** `https://kavach.example/unsubscribe?org=default&user=admin-1&t=…`: RFC 8058 posts to it, too. */
export function unsubscribeUrl(
  publicUrl: string,
  { org, recipient }: { readonly org: string; readonly recipient: string },
  links: UnsubscribeLinks,
): string {
  const query = new URLSearchParams({ org, user: recipient, t: links.sign(org, recipient) });
  return `${publicUrl}/unsubscribe?${query.toString()}`;
}
