/** `kavach ack` and `kavach resolve` (A9): a person's word to an alert. Twice is once. */
import { alertSentence, phaseInWords } from '../gateway/alert-words.js';
import type { AlertStateView } from '../gateway/alert-state.js';
import { alertPath, findAlertId, noSuchAlert } from './find-alert.js';
import { CliError, type Gateway } from './http.js';
import type { Output } from './output.js';

export interface Word {
  readonly id: string;
  readonly by: string | undefined;
  readonly note: string | undefined;
}

export async function answerAlert(
  gateway: Gateway,
  output: Output,
  act: 'acknowledge' | 'resolve',
  { id, by, note }: Word,
): Promise<void> {
  const whole = await findAlertId(gateway, id);
  const body = { ...(by ? { by } : {}), ...(note ? { note } : {}) };
  const answer = (await gateway.post(alertPath(whole, act), body).catch((error: unknown) => {
    throw toldPlainly(error, id);
  })) as { readonly alert: AlertStateView };
  const { alert } = answer;
  output.json({ alert });
  output.line(alertSentence(alert));
  output.line(output.paint('good', phaseInWords(alert)));
}

/** What the alert itself has against it needs no address of the gateway before it. */
function toldPlainly(error: unknown, id: string): unknown {
  if (!(error instanceof CliError)) return error;
  if (error.status === 404) return noSuchAlert(id, 404);
  const isItsOwn = error.status === 409 && error.detail !== undefined && error.detail !== '';
  return isItsOwn ? new CliError(error.detail, error.status) : error;
}
