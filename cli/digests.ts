/** `kavach digest <recipient>`: what was sent, and what would be sent next. */
import type { DigestPreview } from '../gateway/digest-preview.js';
import type { DigestView } from '../ledger/ledger.js';
import type { Gateway } from './http.js';
import { formatMoment } from './moment.js';
import type { Output } from './output.js';

interface DigestsAnswer {
  readonly waiting: readonly (DigestPreview & {
    readonly cadence: string;
    readonly nextAt: number;
  })[];
  readonly digests: readonly DigestView[];
}

export async function showDigests(
  gateway: Gateway,
  output: Output,
  { recipient, preview }: { readonly recipient: string; readonly preview: boolean },
): Promise<void> {
  const path = `/v1/recipients/${encodeURIComponent(recipient)}/digests`;
  const { waiting, digests } = (await gateway.get(path)) as DigestsAnswer;
  output.json({ waiting, ...(preview ? {} : { digests }) });
  for (const { cadence, nextAt, total, mail } of waiting) {
    output.line(`${String(total)} waiting for the ${cadence} digest of ${formatMoment(nextAt)}`);
    if (!preview || mail === undefined) continue;
    output.line(`Subject: ${mail.subject}`);
    output.line();
    output.line(mail.text);
  }
  if (waiting.length === 0) output.line('Nothing waits: no digest would be sent.');
  if (!preview) showSent(output, digests);
}

function showSent(output: Output, digests: readonly DigestView[]): void {
  if (digests.length === 0) return;
  output.line();
  output.table(
    [{ head: 'AT' }, { head: 'ALERTS', right: true }, { head: 'RESULT' }, { head: 'ID' }],
    digests.map(({ at, total, end, id }) => [
      formatMoment(at),
      String(total),
      end === undefined
        ? 'being sent'
        : output.paint(
            end.result === 'failed' ? 'bad' : 'strong',
            end.result === 'sent' ? end.result : `${end.result}: ${end.reason}`,
          ),
      id,
    ]),
  );
}
