/** Destinations and deliveries in short words. */
import type { Outcome } from '../../../domain/alert/outcome.js';
import type { DeliveryRef, NewDestination } from '../../../ledger/ledger.js';
import { NOW, ORG } from './bed.js';
import type { Bed } from './bed.js';

export const MESSAGE = { body: '{"a":1}', contentType: 'application/json' };

type Firing = NonNullable<DeliveryRef['firing']>;
export const FIRING: Firing = { periodId: 'p/1', dimension: 'cost', bps: 8_000, limitsRev: 1 };

export function sendingOf(bed: Bed) {
  /** The first delivery of alert/1 to the default webhook; without a firing. */
  const ref = (over: Partial<DeliveryRef> = {}): DeliveryRef => ({
    ...{ org: ORG, alertId: 'alert/1', deliveryId: `${over.alertId ?? 'alert/1'}/0` },
    ...{ purpose: 'fire', channel: 'webhook' },
    ...over,
  });
  const put = async (over: Partial<NewDestination> = {}, now = NOW): Promise<string> => {
    const given = { channel: 'webhook', address: 'https://a.test/', ...over } as const;
    const [reference = ''] = await bed.ledger().putDestinations(ORG, [given], now);
    return reference;
  };
  /** `open`, or why not. */
  const verdict = async (over: Partial<DeliveryRef>, now = NOW): Promise<string> => {
    const opened = await bed.ledger().openDelivery(ref(over), now);
    return opened.type === 'suppressed' ? opened.reason : opened.type;
  };
  /** One attempt with this outcome. */
  const attempt = async (
    over: Partial<DeliveryRef>,
    kind: Outcome['kind'],
    { no = 1, now = NOW, isLast = true } = {},
  ): Promise<void> => {
    await bed.ledger().beginAttempt(ref(over), no, MESSAGE, now);
    await bed.ledger().finishAttempt(ref(over), no, { kind, reason: 'HTTP 410' }, now, isLast);
  };
  return { ref, put, verdict, attempt };
}
