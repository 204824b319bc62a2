/** `kavach notices`: what the service said of itself, and whether anybody was there to hear it. */
import type { OperatorNotice } from '../ledger/ledger.js';
import type { Gateway } from './http.js';
import { formatMoment } from './moment.js';
import type { Output } from './output.js';

export async function showNotices(
  gateway: Gateway,
  output: Output,
  { limit }: { readonly limit: number },
): Promise<void> {
  const { notices } = (await gateway.get(`/v1/notices?limit=${String(limit)}`)) as {
    notices: readonly OperatorNotice[];
  };
  output.json({ notices });
  if (notices.length === 0) {
    output.line('The service has had nothing to say of itself.');
    return;
  }
  output.table(
    [{ head: 'AT' }, { head: 'TOLD' }, { head: 'WHAT' }, { head: 'TEXT' }],
    notices.map(({ at, toldAt, unheard, kind, text }) => [
      formatMoment(at),
      toldAt === undefined || unheard === true
        ? output.paint('warning', 'nobody')
        : formatMoment(toldAt),
      kind,
      text,
    ]),
  );
}
