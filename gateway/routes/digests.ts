/** A recipient's digests over HTTP: what waits and when it is due, and what was sent (P3). */
import { nextDigestAt } from '../../domain/digest/schedule.js';
import type { DigestPace } from '../../domain/digest/state.js';
import { digestsAnswer } from '../answers.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { recipientPath } from '../people-schemas.js';
import { knownRecipient } from '../recipient.js';

const LISTED = 50;
const PACES: readonly DigestPace[] = ['hourly', 'daily'];

const readDigests = {
  ...{ method: 'get', path: '/v1/recipients/:id/digests', id: 'readDigests' },
  summary: 'What waits for the digests of a recipient, as it would be sent, and what was sent',
  description: `Nothing is sent by asking. The last ${String(LISTED)} digests, newest first.`,
  scopes: ['operate'],
  params: recipientPath,
  answers: { 200: { description: 'As it is now', schema: digestsAnswer } },
  problems: [404],
} as const satisfies Operation;

export function addDigestRoutes(routes: Routes, gateway: Gateway): void {
  const { ledger, previewDigest, policy, now } = gateway;
  routes.add(readDigests, async (c, { params: { id } }) => {
    const { org } = c.get('key');
    const recipient = await knownRecipient(ledger, { org, id });
    const { zone, digest } = recipient.preferences;
    const waiting = await Promise.all(
      PACES.map(async (cadence) => {
        const preview = await previewDigest?.({ org, recipient: id, cadence }, zone);
        if (preview === undefined || preview.total === 0) return [];
        const hours = { cadence, zone, hour: digest.hour, hourMs: policy.digestHourMs };
        const nextAt = nextDigestAt(hours, now());
        return [{ cadence, nextAt, ...preview }];
      }),
    );
    return c.json({ waiting: waiting.flat(), digests: await ledger.digests(org, id, LISTED) });
  });
}
