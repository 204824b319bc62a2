/**
 * A14. An alert for very many people is spread over several: no workflow carries more deliveries
 * than it can hold. They are one alert to whoever answers it: a word to one is a word to all.
 * SP-1. All routes of a recipient are in one part, so that what was tried is known where a fallback
 *       is looked for (A5). Only the first part escalates (A8), so that nobody is told twice.
 */
import { partAlertId } from '../ids.js';
import type { AlertEffect, AlertEvent, PartWord } from './events.js';
import type { AlertInput, AlertRoute, AlertState } from './state.js';

const MOST = 200;

/**
 * The alerts that it starts as; the first keeps its id. A crossing goes to what its budget names,
 * and its firing belongs to one alert: it is never spread.
 */
export function spreadAlert(input: AlertInput, most = MOST): readonly AlertInput[] {
  if (input.kind === 'threshold' || input.routes.length <= most) return [input];
  const groups = grouped(input.routes, most);
  const others = groups.slice(1).map((_, index) => partAlertId(input.id, index + 2));
  return groups.map((routes, index): AlertInput => {
    if (index === 0) return { ...input, routes, spread: others };
    const { response, ...rest } = input;
    return {
      ...{ ...rest, routes, id: partAlertId(input.id, index + 1), spread: [input.id] },
      ...(response === undefined ? {} : { response: { operators: response.operators } }),
    };
  });
}

/** As many as fit, and at least all of one recipient. */
function grouped(routes: readonly AlertRoute[], most: number): readonly AlertRoute[][] {
  const groups: AlertRoute[][] = [];
  let ofOne: AlertRoute[] = [];
  const close = (): void => {
    const last = groups.at(-1);
    if (last !== undefined && last.length + ofOne.length <= most) last.push(...ofOne);
    else if (ofOne.length > 0) groups.push(ofOne);
    ofOne = [];
  };
  for (const route of routes) {
    const before = ofOne.at(-1);
    const isSame = before?.recipient !== undefined && before.recipient === route.recipient;
    if (!isSame) close();
    ofOne.push(route);
  }
  close();
  return groups;
}

/** What the other parts are told. One that has heard it says it back once, and nothing follows. */
export function wordToParts(
  before: AlertState,
  event: AlertEvent,
  after: AlertState,
): readonly AlertEffect[] {
  const { spread } = after.input;
  if (spread === undefined || before.phase === after.phase) return [];
  const word = wordOf(event);
  return word === undefined ? [] : [{ type: 'tellParts', alerts: spread, word }];
}

/** Its own end, when its deliveries have ended, is no word to anybody. */
function wordOf(event: AlertEvent): PartWord | undefined {
  const { type } = event;
  return type === 'acknowledged' || type === 'resolved' || type === 'subjectEnded'
    ? event
    : undefined;
}

/** What another part says, as it came over the wire; undefined where it makes no sense. */
export function readPartWord(message: unknown): PartWord | undefined {
  const { type, by, note, at } = (message ?? {}) as Record<string, unknown>;
  if (type === 'subjectEnded') {
    return typeof at === 'number' && Number.isSafeInteger(at) && at >= 0 ? { type, at } : undefined;
  }
  if ((type !== 'acknowledged' && type !== 'resolved') || typeof by !== 'string') return undefined;
  return { type, by, ...(typeof note === 'string' ? { note } : {}) };
}
