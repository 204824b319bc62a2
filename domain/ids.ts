/**
 * Every id in one place, so that the same thing has the same id wherever it is computed.
 * I-1. Distinct keys give distinct ids: names are percent-encoded, `/` included, and whatever
 *      cannot be written out whole carries 128 bits of its hash after a `~`, which no other id has.
 * I-2. An id is ASCII and at most 255 bytes; no text, however broken, makes one throw.
 */
import type { NoticeTopic } from './alert/facts.js';
import type { Purpose } from './alert/state.js';
import type { PeriodKey, Scope } from './budget/period-key.js';
import { sha256Hex } from './hash.js';
import { codePointBytes, codePoints, isSurrogate } from './utf8.js';
import { CADENCES, type Cadence, type Dimension } from './words.js';

const MAX_ID_BYTES = 255;
const MAX_COMPONENT_BYTES = 64;
const PREFIX_BYTES = 32;
const HASH_DIGITS = 32;
const AGENT = 'agent:';

/** `budget/default/agent:research-bot/daily/20261121T000000Z`; a run's ends in `/<generation>`. */
export function budgetWorkflowId(key: PeriodKey): string {
  return `budget/${periodPath(key)}`;
}

/** The ledger's row of a period: all lives of a run are one row, so without a generation. */
export function periodRowId({ org, scope, cadence, period }: PeriodKey): string {
  const parts = [encodeComponent(org), encodeScope(scope), cadence, encodeComponent(period)];
  return parts.join('/');
}

/** What the ids of a scope's budgets begin with: `budget/default/agent:research-bot/`. */
export function budgetIdPrefix(org: string, scope: Scope): string {
  return `budget/${encodeComponent(org)}/${encodeScope(scope)}/`;
}

/** What an alert is about, and which of its period's alerts it is, from 1. */
export interface Firing {
  readonly no: number;
  readonly dimension: Dimension;
  /** The threshold, in hundredths of a percent. */
  readonly bps: number;
}

/**
 * `alert/default/agent:research-bot/daily/20261121T000000Z/3-cost-8000`: the third firing of that
 * period. A life that was lost before it was published may have used the number for something
 * else, so the crossing is part of the id.
 */
export function alertWorkflowId(key: PeriodKey, { no, dimension, bps }: Firing): string {
  return bounded(`alert/${periodPath(key)}/${String(no)}-${dimension}-${String(bps)}`);
}

/** `alert/default/notice/storm-<ref>`: what is told once; `ref` says which of its topic. */
export function noticeWorkflowId(org: string, topic: NoticeTopic, ref: string): string {
  return bounded(`alert/${encodeComponent(org)}/notice/${topic}-${encodeComponent(ref)}`);
}

/** `agent/default/support-agent`: where the cooldowns of an agent's rules are held (R2). */
export function agentWorkflowId(org: string, agent: string): string {
  return bounded(`agent/${encodeComponent(org)}/${encodeComponent(agent)}`);
}

/** `alert/default/rule/high_error_rate/support-agent/3`: the third alert of that rule and agent. */
export function ruleAlertId(org: string, rule: string, agent: string, no: number): string {
  const names = [org, 'rule', rule, agent].map((name) => encodeComponent(name));
  return bounded(`alert/${names.join('/')}/${String(no)}`);
}

/** A14. `alert/default/rule/…/3/part-2`: the second of those that an alert was spread over. */
export function partAlertId(alertId: string, no: number): string {
  return bounded(`${alertId}/part-${String(no)}`);
}

/** `digest/default/admin-1/hourly`: one for each recipient and cadence (P3). */
export function digestWorkflowId(
  org: string,
  recipient: string,
  cadence: 'hourly' | 'daily',
): string {
  return bounded(`digest/${encodeComponent(org)}/${encodeComponent(recipient)}/${cadence}`);
}

/**
 * One (alert, route): its index in the frozen policy, or a reference. `resolve` is the word that
 * it is over: another message, so another delivery (T7).
 */
export function deliveryId(
  alertId: string,
  route: number | string,
  purpose: Purpose = 'fire',
): string {
  const word = purpose === 'fire' ? '' : `/${purpose}`;
  return bounded(`${alertId}/${encodeComponent(String(route))}${word}`);
}

/** The delivery that follows another one: the word that somebody has taken it, or that it is over. */
export function sequelId(delivery: string, purpose: Exclude<Purpose, 'fire'>): string {
  return bounded(`${delivery}/${purpose}`);
}

/** T9. One incident per budget, period and dimension, whatever its thresholds. */
export function incidentKey(subject: string, dimension: Dimension | 'rule' | 'notice'): string {
  return `kavach-${sha256Hex(`${subject} ${dimension}`)}`;
}

const CODE_LETTERS = '123456789ABCDEFGHJKLMNPQRSTUVWXZ';

/** Six letters and digits that are not taken for each other, for a text message (30 bits). */
export function alertCode(alertId: string): string {
  const digits = sha256Hex(alertId);
  return Array.from({ length: 6 }, (_, at) => {
    const value = Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16);
    return CODE_LETTERS[value % 32] ?? '';
  }).join('');
}

/**
 * A11. What providers know a delivery by, the same on all its attempts: 71 ASCII characters,
 * without the `.` that separates the parts of a signed webhook, and without anybody's name.
 */
export function idempotencyKey(delivery: string): string {
  return `kavach-${sha256Hex(delivery)}`;
}

/** The inverse of `budgetWorkflowId`; undefined for any other id and where a name was hashed. */
export function parseBudgetWorkflowId(id: string): PeriodKey | undefined {
  const [head, org, scope, cadence, period, generation, ...rest] = id.split('/').map(decode);
  if (head !== 'budget' || rest.length > 0 || !isCadence(cadence)) return undefined;
  if (org === undefined || !isScope(scope) || period === undefined) return undefined;
  const key = { org, scope, cadence, period, generation: Number(generation ?? 1) };
  // Only what would be written the same way was written by us.
  return budgetWorkflowId(key) === id ? key : undefined;
}

/** At most 65 + 71 + 7 + 65 + 16 bytes and four slashes: a period's id stays within 255. */
function periodPath({ org, scope, cadence, period, generation }: PeriodKey): string {
  const path = `${encodeComponent(org)}/${encodeScope(scope)}/${cadence}/${encodeComponent(period)}`;
  return cadence === 'run' ? `${path}/${String(generation)}` : path;
}

function encodeScope(scope: Scope): string {
  return scope === 'org' ? scope : AGENT + encodeComponent(scope.slice(AGENT.length));
}

function encodeComponent(name: string): string {
  if (/^[\w.-]{0,64}$/.test(name)) return name;
  const points = codePoints(name);
  const encoded = points.map(encodeCodePoint).join('');
  // Lone surrogates have no bytes that could be read back as text.
  const isWhole = encoded.length <= MAX_COMPONENT_BYTES && !points.some(isSurrogate);
  return isWhole ? encoded : hashed(encoded, PREFIX_BYTES);
}

function encodeCodePoint(codePoint: number): string {
  const char = String.fromCodePoint(codePoint);
  if (/^[\w.-]$/.test(char)) return char;
  return codePointBytes(codePoint)
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}

function bounded(id: string): string {
  return id.length <= MAX_ID_BYTES ? id : hashed(id, MAX_ID_BYTES - HASH_DIGITS - 1);
}

/** A readable beginning that ends on a whole escape, and the hash of all of it. */
function hashed(encoded: string, prefixBytes: number): string {
  const prefix = encoded.slice(0, prefixBytes).replace(/%.?$/, '');
  return `${prefix}~${sha256Hex(encoded).slice(0, HASH_DIGITS)}`;
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function isCadence(word: string | undefined): word is Cadence {
  return CADENCES.some((cadence) => cadence === word);
}

function isScope(text: string | undefined): text is Scope {
  return text === 'org' || (text?.startsWith(AGENT) ?? false);
}
