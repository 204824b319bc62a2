/** `kavach audit`: who changed what. */
import type { AuditView } from '../ledger/ledger.js';
import type { Gateway } from './http.js';
import { formatMoment } from './moment.js';
import type { Output } from './output.js';

const SHOWN = 100;

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
      { head: 'TO' },
      { head: 'ID' },
    ],
    answer.entries.map(({ at, by, what, subject, before: was, after, id }) => [
      formatMoment(at),
      by,
      what,
      subject,
      short(after ?? was),
      String(id),
    ]),
  );
  if (answer.nextCursor !== undefined) {
    output.line();
    output.line(`More: kavach audit --cursor ${answer.nextCursor}`);
  }
}

/** The whole of it is in `--json`. */
function short(value: unknown): string {
  const text = value === undefined ? '' : JSON.stringify(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
