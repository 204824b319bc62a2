/** `kavach retention`: what is kept for how long, and how much of it there is. */
import { keptKinds } from '../ledger/retention-status.js';
import type { KeptKind } from '../ledger/retention-policy.js';
import { groupDigits } from '../domain/money.js';
import { loadConfig } from '../worker/config.js';
import { openOperatedLedger, type Environment } from './ledger-access.js';
import { formatMoment } from './moment.js';
import type { Output } from './output.js';

const WHAT: Readonly<Record<KeptKind['kind'], string>> = {
  events: 'usage and its idempotency keys; longer while a period they count in is open',
  runs: 'closed runs with their totals',
  periods: 'closed calendar periods with their totals',
  messages: 'what was rendered for alerts that are over',
  attempts: 'tries to deliver alerts that are over, and their outcomes',
  journal: 'alerts that are over, and every decision about them',
  audit: 'who changed what, and when',
  quarantine: 'events that could not be read',
  notices: 'what the operators were told',
  metrics: 'keys of metric events, against repeats',
  leases: 'leases that are over, and guards not heard of since',
};

export async function showRetention(output: Output, env: Environment): Promise<void> {
  const { retention } = loadConfig({ KAVACH_RETENTION: env['KAVACH_RETENTION'] });
  const ledger = await openOperatedLedger(env);
  try {
    const kinds = await keptKinds(ledger.db, retention);
    output.json({ kinds });
    output.table(
      [
        { head: 'KIND' },
        { head: 'KEPT', right: true },
        { head: 'ROWS', right: true },
        { head: 'SINCE' },
        { head: 'ON DISK', right: true },
        { head: 'WHAT IT IS' },
      ],
      kinds.map((each) => [
        each.kind,
        each.days === undefined ? 'for ever' : `${String(each.days)} days`,
        groupDigits(String(each.rows)),
        each.oldestAt === undefined ? '-' : formatMoment(each.oldestAt),
        `${(each.bytes / 1e6).toFixed(1)} MB`,
        WHAT[each.kind],
      ]),
    );
    output.line();
    output.line(
      'KAVACH_RETENTION changes it, as events=90,audit=forever; the relay removes the rest.',
    );
  } finally {
    await ledger.close();
  }
}
