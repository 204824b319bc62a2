/** T9: one incident at PagerDuty for several alerts, resolved with the last of them. */
import { describe, expect, test } from 'vitest';
import type { DeliveryRef } from '../../../ledger/ledger.js';
import { NOW } from './bed.js';
import type { Bed } from './bed.js';
import { FIRING, sendingOf } from './sending.js';

export function incidentsContract(bed: Bed): void {
  const { ref, put, verdict, attempt } = sendingOf(bed);
  const channel = 'pagerduty';
  const incident = 'kavach-1';

  describe('T9: incidents', () => {
    const of = (
      alertId: string,
      purpose: DeliveryRef['purpose'],
      destination: string,
    ): Partial<DeliveryRef> => ({
      ...{ alertId, purpose, destination, channel, incident },
      deliveryId: `${alertId}/0${purpose === 'fire' ? '' : `/${purpose}`}`,
    });
    const fire = async (alertId: string, destination: string) => {
      expect(await verdict(of(alertId, 'fire', destination))).toBe('open');
      await attempt(of(alertId, 'fire', destination), 'accepted');
    };
    const resolve = (alertId: string, destination: string) =>
      verdict(of(alertId, 'resolve', destination));

    test('only the last to resolve is told, and a retry gets the same answer', async () => {
      const pager = await put({ channel });
      await fire('a', pager);
      await fire('b', pager);
      expect(await resolve('a', pager)).toBe('still_firing');
      expect(await resolve('a', pager)).toBe('still_firing');
      expect(await resolve('b', pager)).toBe('open');
      expect(await resolve('b', pager)).toBe('open');
      expect(await resolve('a', pager)).toBe('still_firing');
    });

    test('of those that resolve at the same time exactly one is told', async () => {
      const pager = await put({ channel });
      const alerts = ['a', 'b', 'c', 'd'];
      for (const alert of alerts) await fire(alert, pager);
      const ledgers = await Promise.all(alerts.map(() => bed.open()));
      const opened = await Promise.all(
        ledgers.map((ledger, i) =>
          ledger.openDelivery(ref(of(alerts[i] ?? '', 'resolve', pager)), NOW),
        ),
      );
      expect(opened.filter((each) => each.type === 'open')).toHaveLength(1);
    });

    test('an alert that joins later keeps the incident open, also for a retry', async () => {
      const pager = await put({ channel });
      await fire('a', pager);
      expect(await resolve('a', pager)).toBe('open');
      await fire('b', pager);
      expect(await resolve('a', pager)).toBe('still_firing');
      expect(await resolve('b', pager)).toBe('open');
    });

    test('each destination has its own incident, and other incidents do not count', async () => {
      const [a, b] = [await put({ channel }), await put({ channel, address: 'other' })];
      await fire('a', a);
      await fire('b', b);
      await verdict({ ...of('c', 'fire', a), incident: 'kavach-2' });
      expect(await resolve('a', a)).toBe('open');
      expect(await resolve('b', b)).toBe('open');
    });

    test('one that is on its way counts, one that certainly never arrived does not', async () => {
      const pager = await put({ channel });
      await fire('a', pager);
      await verdict(of('b', 'fire', pager));
      expect(await resolve('a', pager)).toBe('still_firing');
      await fire('c', pager);
      await attempt(of('b', 'fire', pager), 'transient');
      expect(await resolve('c', pager)).toBe('open');
      await attempt(of('b', 'fire', pager), 'ambiguous', { no: 2 });
      await fire('d', pager);
      expect(await resolve('d', pager)).toBe('still_firing');
    });

    test('a superseded alert opens nothing; an acknowledgement goes as it is', async () => {
      const pager = await put({ channel });
      const firing = { ...FIRING, periodId: 'p' };
      expect(await verdict({ ...of('a', 'fire', pager), firing })).toBe('open');
      expect(await verdict({ ...of('z', 'fire', pager), firing })).toBe('superseded');
      expect(await verdict(of('a', 'acknowledge', pager))).toBe('open');
      expect(await resolve('a', pager)).toBe('open');
    });

    test('an alert from before incidents were noted is resolved as ever', async () => {
      expect(await resolve('old', await put({ channel }))).toBe('open');
    });

    test('other channels know no incidents', async () => {
      const destination = await put();
      const hook = (alertId: string, purpose: DeliveryRef['purpose']) =>
        verdict({ ...of(alertId, purpose, destination), channel: 'webhook' });
      await hook('a', 'fire');
      await hook('b', 'fire');
      expect(await hook('a', 'resolve')).toBe('open');
    });
  });
}
