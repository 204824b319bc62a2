/** `kavach audit`: who changed what. */
import type { AuditView } from '../ledger/ledger.js';
import { auditText } from './audit-text.js';
import type { Gateway } from './http.js';
import { formatMoment } from './moment.js';
import type { Output } from './output.js';

export async function showAudit(
  gateway: Gateway,
  output: Output,
  { agent, limit, cursor }: { agent?: string; limit: number; cursor?: string },
): Promise<void> {
  const query = new URLSearchParams({
    limit: String(limit),
    ...(agent === undefined ? {} : { agent }),
    ...(cursor === undefined ? {} : { cursor }),
  });
  const answer = (await gateway.get(`/v1/audit?${query.toString()}`)) as {
    entries: readonly AuditView[];
    nextCursor?: string;
  };
  output.json(answer);
  if (answer.entries.length === 0) {
    output.line('Nothing was changed.');
    return;
  }
  output.table(
    [
      { head: 'AT' },
      { head: 'WHO' },
      { head: 'WHAT' },
      { head: 'OF' },
      { head: 'HOW' },
      { head: 'ID' },
    ],
    answer.entries.map((entry) => [
      formatMoment(entry.at),
      entry.by,
      entry.what,
      entry.subject,
      auditText(entry),
      String(entry.id),
    ]),
  );
  if (answer.nextCursor !== undefined) {
    output.line();
    output.line(`More: kavach audit --cursor ${answer.nextCursor}`);
  }
}
