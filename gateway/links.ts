/**
 * A9. Signed links to an alert's page: whoever got the message may open it, and act from it.
 * G-L1. The signature is an HMAC of the alert's id under a key of this installation: it opens that
 *       one page and nothing else, and a new key ends all links there are.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface AlertLinks {
  /** 22 characters: 128 bits, short enough for a text message. */
  sign(alertId: string): string;
  isSigned(alertId: string, signature: string): boolean;
}

/** The id a test message carries: its page says that there is nothing to do. */
export const TEST_ALERT_ID = 'alert/test';

const SIGNATURE_LENGTH = 22;

export function createAlertLinks(key: string): AlertLinks {
  const sign = (alertId: string): string =>
    createHmac('sha256', key)
      .update(`kavach alert link\n${alertId}`)
      .digest('base64url')
      .slice(0, SIGNATURE_LENGTH);
  const isSigned = (alertId: string, signature: string): boolean => {
    const [given, expected] = [Buffer.from(signature), Buffer.from(sign(alertId))];
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
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
