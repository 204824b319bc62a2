/**
 * One attempt of one delivery.
 *
 * V-1. The attempt is written before its request: a row without an outcome says that it may have
 *      been sent. The first attempt also writes the firing, so that a life before a restore and
 *      this one cannot both send it (`superseded`).
 * V-2. The message is rendered once and stored; every attempt sends the stored bytes (A11).
 *      One that the ledger knows as accepted is not sent again, whoever has forgotten it.
 * V-3. Whatever fails before the request is `NothingSent`: it costs no attempt. After the request
 *      the outcome is answered even when it could not be recorded: the alert's journal has it.
 */
import { alertViewOf } from '../channels/alert-view.js';
import type { AlertView, Channel, RenderedMessage } from '../channels/channel.js';
import { renderPush } from '../channels/push.js';
import { incidentOf } from '../domain/alert/incident.js';
import type { Outcome } from '../domain/alert/outcome.js';
import type {
  AlertInput,
  Delivery,
  DeliverAnswer,
  NoticeAlert,
  ThresholdAlert,
} from '../domain/alert/state.js';
import { silenceSubjectOf } from '../domain/silence.js';
import { idempotencyKey } from '../domain/ids.js';
import type { DeliveryRef } from '../ledger/ledger.js';
import { beforeSending } from './before-sending.js';
import { whileBeating } from './heartbeat.js';
import type { ActivityDependencies } from './index.js';

export interface DeliverInput {
  readonly input: AlertInput;
  readonly delivery: Pick<Delivery, 'id' | 'route' | 'purpose' | 'cause'>;
  /** From 1. */
  readonly attempt: number;
}

export function createDeliver(
  dependencies: ActivityDependencies,
): (request: DeliverInput) => Promise<DeliverAnswer> {
  const { ledger, channels, now } = dependencies;
  const deliver = async ({ input, delivery, attempt }: DeliverInput): Promise<DeliverAnswer> => {
    const channel = channels[delivery.route.channel];
    const isPush = delivery.route.channel === 'push';
    const renderer = isPush ? pushRenderer(delivery.id) : channel;
    if (renderer === undefined) return { type: 'suppressed', reason: 'unsupported_channel' };
    const ref = refOf(input, delivery);
    const prepared = await beforeSending(() =>
      prepare(dependencies, renderer, input, ref, attempt),
    );
    if ('suppressed' in prepared) return { type: 'suppressed', reason: prepared.suppressed };
    if ('heldUntil' in prepared) {
      return { type: 'held', reason: 'silenced', until: prepared.heldUntil };
    }
    if ('delivered' in prepared) return { type: 'sent', outcome: prepared.delivered };
    if (isPush || channel === undefined) {
      const { message } = prepared;
      const answer = await beforeSending(() => offer(dependencies, ref, message));
      if (answer.type === 'sent') await record(ledger, ref, attempt, answer.outcome, now(), true);
      return answer;
    }
    const outcome = await channel.deliver({
      message: prepared.message,
      destination: prepared.destination,
      idempotencyKey: idempotencyKey(delivery.id),
      now: now(),
      timeoutMs: dependencies.timeoutMs,
      ...(prepared.repeatsSince === undefined ? {} : { repeatsSince: prepared.repeatsSince }),
    });
    const isLast = attempt > input.policy.ladderMs.length;
    await record(ledger, ref, attempt, outcome, now(), isLast);
    return { type: 'sent', outcome };
  };
  return (request) => whileBeating(() => deliver(request));
}

/** Clients know a message by the delivery's key, so that a repeat is the same message to them. */
function pushRenderer(deliveryId: string): Pick<Channel, 'render'> {
  return { render: (view) => renderPush(view, idempotencyKey(deliveryId)) };
}

/** Push: the ledger knows who is connected, and a gateway sends. */
function offer(
  { ledger, now }: ActivityDependencies,
  ref: DeliveryRef,
  { body }: RenderedMessage,
): Promise<DeliverAnswer> {
  const { recipient = '', deliveryId } = ref;
  return ledger.offerPush({ ref, recipient, id: idempotencyKey(deliveryId), body }, now());
}

async function prepare(
  { ledger, alertUrl, now }: ActivityDependencies,
  channel: Pick<Channel, 'render'>,
  input: AlertInput,
  ref: DeliveryRef,
  attempt: number,
) {
  const opened = await ledger.openDelivery(ref, now());
  if (opened.type === 'suppressed') return { suppressed: opened.reason };
  if (opened.type === 'held') return { heldUntil: opened.until };
  if (opened.type === 'delivered') return { delivered: opened.outcome };
  const message =
    opened.message ??
    channel.render(
      { ...alertViewOf(input, ref.purpose, alertUrl(input.id)), ...(await wordsOf(ledger, input)) },
      opened.destination.template,
    );
  const begun = await ledger.beginAttempt(ref, attempt, message, now());
  return { ...begun, destination: opened.destination };
}

/**
 * What an agent's notice says is the ledger's alone until it is rendered. Where it was taken away
 * since (retention, erasure) the neutral title is what is left.
 */
async function wordsOf(
  ledger: ActivityDependencies['ledger'],
  { org, facts }: AlertInput,
): Promise<Pick<AlertView, 'words'>> {
  if (facts.kind !== 'notice' || facts.notice === undefined) return {};
  const words = await ledger.noticeWords(org, facts.notice);
  return words === undefined ? {} : { words };
}

async function record(
  ledger: ActivityDependencies['ledger'],
  ref: DeliveryRef,
  attempt: number,
  outcome: Outcome,
  at: number,
  isLast: boolean,
): Promise<void> {
  try {
    await ledger.finishAttempt(ref, attempt, outcome, at, isLast);
  } catch {
    // V-3. The answer below still reaches the alert, and its journal entry says the same.
  }
}

function refOf(input: AlertInput, delivery: DeliverInput['delivery']): DeliveryRef {
  const { channel, destination, recipient } = delivery.route;
  const about = silenceSubjectOf(input);
  return {
    org: input.org,
    alertId: input.id,
    deliveryId: delivery.id,
    purpose: delivery.purpose,
    channel,
    ...(destination === undefined ? {} : { destination }),
    ...(about === undefined ? {} : { about }),
    ...(recipient === undefined ? {} : { recipient }),
    ...waitedRef(input, delivery),
    ...(input.kind === 'notice' ? noticeRef(input) : {}),
    ...(input.kind === 'threshold' ? firingRef(input, delivery) : {}),
  };
}

/** P4. What a newer alert of the same rule, or of the same budget, may stand for in the morning. */
function waitedRef(
  input: AlertInput,
  { route: { recipient, notBefore }, purpose }: DeliverInput['delivery'],
): Partial<DeliveryRef> {
  const isHeld = recipient !== undefined && notBefore !== undefined && purpose === 'fire';
  if (!isHeld || input.kind === 'notice') return {};
  const { subject, facts } = input;
  const [about, bps] =
    facts.kind === 'rule' ? [facts.rule, 0] : [facts.dimension, facts.thresholdBps];
  return { waited: { recipient, subject, about, at: facts.at, bps } };
}

/** What sums up a storm must not be held back by it. */
function noticeRef({ facts }: NoticeAlert): Partial<DeliveryRef> {
  return facts.topic === 'storm' ? { sumsUp: true } : {};
}

function firingRef(
  input: ThresholdAlert,
  { route, cause }: DeliverInput['delivery'],
): Partial<DeliveryRef> {
  const { dimension, thresholdBps: bps } = input.facts;
  const { periodId, limitsRev } = input.firing;
  return {
    ...(route.channel === 'pagerduty' ? { incident: incidentOf(input) } : {}),
    // A fallback or a level speaks for no crossing of its own, so it cannot be superseded.
    ...((cause ?? 'route') === 'route' ? { firing: { periodId, dimension, bps, limitsRev } } : {}),
  };
}
