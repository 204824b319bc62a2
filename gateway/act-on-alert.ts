/**
 * A person's word to an alert (A9), from the API or from its page.
 *
 * G-A1. Only an alert of the asker's organisation is spoken to: the ledger says whose it is.
 * G-A2. Twice is once: a word that was said before is answered with how the alert stands. One that
 *       comes too late, because the alert is over, is refused (409), never swallowed.
 * G-A3. While Temporal is away nothing is promised: 503, and saying it again is harmless.
 */
import type { KavachClient } from '../client/index.js';
import { describeFailure, type UpdateAnswer } from '../client/index.js';
import { DELIVERED, isPerson, PERIOD_END } from '../domain/alert/ending.js';
import type { Refusal } from '../domain/refusal.js';
import { alertStateOf, alertStateOfStatus, type AlertStateView } from './alert-state.js';
import { withDeadline } from './deadline.js';
import type { Gateway } from './options.js';
import { Problem } from './problem.js';

/** The words a person can say. */
export const ACTS = ['acknowledge', 'resolve'] as const;
export type Act = (typeof ACTS)[number];

/** The part of the client that takes a person's word to an alert. */
export type AlertClient = Pick<KavachClient, Act>;

export interface Actor {
  readonly by: string;
  readonly note?: string;
}

/**
 * Answers how the alert stands afterwards. Throws a `Problem`: 404 unknown, 409 over, 422 not
 * taken, 503 Temporal away.
 */
export async function actOnAlert(
  gateway: Gateway,
  whose: { readonly org: string; readonly id: string },
  act: Act,
  actor: Actor,
): Promise<AlertStateView> {
  const { org, id } = whose;
  const before = await standing(gateway, org, id);
  if (before.phase === 'resolved') return sameAgain(before, act);
  if (before.phase === 'acknowledged' && act === 'acknowledge') return before;
  const answer = await tell(gateway, id, act, actor);
  switch (answer.type) {
    case 'done':
      return alertStateOfStatus(answer.status);
    case 'refused':
      throw refused(answer.refusal);
    case 'not_running':
      return sameAgain(await standing(gateway, org, id), act);
  }
}

/** The problem of an id that names no alert here. */
export function unknownAlert(id: string): Problem {
  return new Problem({
    status: 404,
    title: 'Unknown alert',
    detail: `There is no alert ${JSON.stringify(id.slice(0, 255))}.`,
  });
}

async function standing({ ledger }: Gateway, org: string, id: string): Promise<AlertStateView> {
  const found = await ledger.alert(org, id);
  if (found === undefined) throw unknownAlert(id);
  return alertStateOf(found);
}

async function tell(gateway: Gateway, id: string, act: Act, actor: Actor): Promise<UpdateAnswer> {
  const { alerts, policy, log } = gateway;
  try {
    if (alerts === undefined) throw new Error('this gateway has no Temporal');
    return await withDeadline(alerts[act](id, actor), policy.actMs, 'Temporal');
  } catch (error) {
    log.warn({ alert: id, act, cause: describeFailure(error).reason }, 'a word was not taken');
    throw new Problem({
      status: 503,
      title: 'Temporal is away',
      detail: `The alert's workflow did not answer: try again, it is harmless to ${act} twice.`,
      headers: { 'retry-after': String(policy.retryAfterS) },
    });
  }
}

/** G-A2. The alert is over: fine if that is what was asked for and a person had done it before. */
function sameAgain(alert: AlertStateView, act: Act): AlertStateView {
  const by = alert.resolved?.by;
  if (act === 'resolve' && by !== undefined && isPerson(by)) return alert;
  const cause =
    by === undefined || by === DELIVERED
      ? 'ended when its deliveries had'
      : by === PERIOD_END
        ? 'ended with its period'
        : `was resolved by ${by}`;
  throw over(`This alert is over: it ${cause}. There is nothing to ${act}.`, 'already_resolved');
}

function refused({ code, message }: Refusal): Problem {
  if (code === 'already_resolved') return over(`Not taken: ${message}.`, code);
  return new Problem({ status: 422, title: 'Not taken', detail: message, more: { code } });
}

function over(detail: string, code: string): Problem {
  return new Problem({ status: 409, title: 'The alert is over', detail, more: { code } });
}
