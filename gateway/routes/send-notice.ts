/** POST /v1/notices: an agent asks to have something told to a person (A2). */
import { placeEvent } from '../../domain/period.js';
import { takenNoticeAnswer } from '../answers.js';
import { noticeBody, readCreatedAt } from '../notice-schemas.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { touchAgent } from '../rights.js';

const sendNotice = {
  ...{ method: 'post', path: '/v1/notices', id: 'sendNotice' },
  summary: 'Tell a person something, on the channels named, as that person prefers it',
  description:
    'A copy within the window (300 s) raises the count of the first one and sends nothing: the ' +
    'same `dedup_key`, else the same agent and title, for the same person.',
  scopes: ['ingest'],
  forAgentKeys: true,
  rate: 'usage',
  body: noticeBody,
  answers: {
    202: { description: 'It is stored: raised, or counted as a repeat', schema: takenNoticeAnswer },
  },
} as const satisfies Operation;

const CLAMPED =
  'created_at is more than 5 minutes ahead or 7 days ago, so the receipt counts: as a number it is ' +
  'seconds since 1970, not milliseconds';

export function addSendNoticeRoute(routes: Routes, gateway: Gateway): void {
  const { ledger, policy, log } = gateway;
  routes.add(sendNotice, async (c, { body }) => {
    const { org, ...key } = c.get('key');
    touchAgent({ org, ...key }, body.agent_id);
    const now = gateway.now();
    const id = gateway.newId();
    const { title, priority, channels, metadata, dedup_key: dedupKey } = body;
    const created = placeEvent(readCreatedAt(body.created_at, now), now);
    const taken = await ledger.sendNotice(
      {
        ...{ org, id, title, body: body.body, priority, channels },
        ...{ notificationId: body.notification_id ?? id, agent: body.agent_id },
        recipient: body.user_id,
        createdAt: created.at,
        ...(metadata === undefined ? {} : { metadata }),
        ...(dedupKey === undefined ? {} : { dedupKey }),
      },
      { policy: gateway.alertPolicy, windowMs: policy.noticeWindowMs, now },
    );
    const { type: status, alertId, repeats } = taken;
    log.info({ requestId: c.get('requestId'), alert: alertId, status }, 'a notice was taken');
    const warnings = created.clamped ? { warnings: [CLAMPED] } : {};
    return c.json({ status, alert_id: alertId, repeats, ...warnings }, 202);
  });
}
