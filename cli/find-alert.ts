/** The alert a person means: its id, its six-letter code, or an end of its id that no other has. */
import { alertCode } from '../domain/ids.js';
import type { AlertView } from '../ledger/ledger.js';
import { CliError, type Gateway } from './http.js';

/** The newest so many are looked through; an older one is found by its whole id. */
const LOOKED_THROUGH = 1_000;
const SHOWN = 5;

/** The whole id. Throws a CliError where none is meant, or several are. */
export async function findAlertId(gateway: Gateway, text: string): Promise<string> {
  if (text.trim() === '') {
    throw new CliError('No alert is named: give its id or its code; `kavach alerts` lists them');
  }
  if (text.startsWith('alert/')) return text;
  const path = `/v1/alerts?limit=${String(LOOKED_THROUGH)}`;
  const { alerts } = (await gateway.get(path)) as { alerts: readonly AlertView[] };
  const ids = alerts.map(({ id }) => id);
  const byCode = ids.filter((id) => alertCode(id) === text.toUpperCase());
  const meant = byCode.length > 0 ? byCode : ids.filter((id) => id.endsWith(text));
  const [only] = meant;
  if (only === undefined) throw noSuchAlert(text);
  if (meant.length === 1) return only;
  const lines = meant.slice(0, SHOWN).map((id) => `  ${alertCode(id)}  ${id}`);
  const more = meant.length > SHOWN ? [`  and ${String(meant.length - SHOWN)} more`] : [];
  throw new CliError(
    [`${JSON.stringify(text)} is the end of several alerts; name one by its code:`, ...lines]
      .concat(more)
      .join('\n'),
  );
}

export function noSuchAlert(text: string, status?: number): CliError {
  return new CliError(
    `There is no alert ${JSON.stringify(text)}: \`kavach alerts\` lists them`,
    status,
  );
}

/** The path of an alert in the API. */
export function alertPath(id: string, word = ''): string {
  return `/v1/alerts/${encodeURIComponent(id)}${word === '' ? '' : `/${word}`}`;
}
