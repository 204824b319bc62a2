/** Opens the ledger on a database whose migrations have run (migrate.ts). */
import { DEFAULT_POLICY } from '../domain/alert/policy.js';
import { agentNames } from './agent-names.js';
import { finishAttempt, restoreDestination } from './attempts.js';
import { listAudit } from './audit.js';
import {
  alertsOfIncident,
  callbackDone,
  callbackFailed,
  claimCallbacks,
  forgetCallbacks,
  putCallback,
} from './callbacks.js';
import { claimPeriods, closePeriod, lag, periodFailed, periodReported } from './claims.js';
import { configurations, configure } from './configuration.js';
import {
  claimDigest,
  claimDigests,
  digestContents,
  digestNotWoken,
  digestWoken,
  endDigest,
  listDigests,
  planDigest,
  waitingContents,
} from './digests.js';
import { openDatabase } from './database.js';
import { beginAttempt, openDelivery } from './deliveries.js';
import { DEFAULT_DELIVERY_POLICY, type DeliveryPolicy } from './delivery-policy.js';
import { confirmDestination, putDestinations, setDefaultDestination } from './destinations.js';
import { newCode, putContact, removeContact, verifyContact } from './contacts.js';
import { claimWrite, finishWrite, releaseWrite } from './idempotency.js';
import { listDestinations } from './destination-list.js';
import { exportPage } from './export.js';
import { ingest } from './ingest.js';
import { appendJournal, findAlert, listAlerts } from './journal.js';
import { createKey, findApiKey, listKeys, putApiKey, revokeKey, rotateKey } from './keys.js';
import { recordLate } from './late.js';
import { changeLayer, endLayers, listLayers } from './layers.js';
import { DEFAULT_LEASE_POLICY, type LeasePolicy } from './lease.js';
import type { Ledger } from './ledger.js';
import { listOperatorNotices, raiseNotices, tellOperators } from './notices.js';
import {
  allowedEmailDomains,
  organisationSettings,
  response,
  setAllowedEmailDomains,
  setEscalation,
  setOperators,
} from './operators.js';
import { alertFailed, alertStarted, claimAlerts } from './outbox.js';
import { ensurePeriods, openPeriod } from './periods.js';
import { publish } from './publish.js';
import {
  acknowledgePush,
  claimPushConfirmations,
  missedPush,
  offerPush,
  pushChanges,
  pushConfirmed,
  sweepPush,
} from './push-messages.js';
import {
  beatPush,
  endPushGateway,
  endPushSessions,
  putPushSessions,
  putPushTicket,
  redeemPushTicket,
} from './push-sessions.js';
import { createPushBell } from './push-watch.js';
import { listQuarantined, quarantine } from './quarantine.js';
import {
  listRecipients,
  putRecipient,
  removeRecipient,
  setPreferences,
  unsubscribe,
} from './recipients.js';
import { openLeases } from './open-leases.js';
import { openRuleBook } from './open-rules.js';
import { resetPeriod } from './resets.js';
import { noteReceipt } from './receipts.js';
import { prune } from './retention.js';
import { routeAlert, routingOf } from './routing.js';
import { reportRun } from './runs.js';
import type { SealKeys } from './seal.js';
import { noticeWords, sendNotice } from './sent-notices.js';
import { createSelfWatch } from './self-watch.js';
import {
  addSilence,
  claimSilenced,
  endSilence,
  forgetSilenced,
  listSilences,
  silencedFailed,
  silencedTold,
} from './silences.js';
import { resume, stop, stopsOf } from './stops.js';
import { listBudgets, usage } from './views.js';

export interface LedgerOptions {
  readonly databaseUrl: string;
  readonly seal: SealKeys;
  /** Default 4; one connection of an embedded database gains nothing from more than 2. */
  readonly poolSize?: number;
  /** PGlite behind its socket: one session for all (database.ts). */
  readonly embedded?: boolean;
  /** B2. A run closes after so long without a word. Default 24 h. */
  readonly runIdleMs?: number;
  /** So long for a connection, and so long for an ingest or a ping. Default 1,000 each. */
  readonly timeoutMs?: number;
  /** So long for any other statement. Default 10,000. */
  readonly statementMs?: number;
  /** What it does not name has its default. */
  readonly delivery?: Partial<DeliveryPolicy>;
  readonly leases?: Partial<LeasePolicy>;
}

/** Rejects when the database does not answer or has not been migrated. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { seal: keys, runIdleMs = DEFAULT_POLICY.runIdleMs, timeoutMs = 1_000 } = options;
  const embedded = options.embedded ?? false;
  const db = openDatabase({
    databaseUrl: options.databaseUrl,
    poolSize: options.poolSize ?? (embedded ? 2 : 4),
    embedded,
    connectMs: timeoutMs,
    statementMs: options.statementMs ?? 10_000,
  });
  await db.run('select epoch from ledger_life').catch(async (error: unknown) => {
    await db.close();
    throw new Error('The ledger does not open: is the database there, and was it migrated?', {
      cause: error,
    });
  });
  const ingestPolicy = { runIdleMs, timeoutMs };
  const policy = { ...DEFAULT_DELIVERY_POLICY, ...options.delivery };
  const leasePolicy = { ...DEFAULT_LEASE_POLICY, ...options.leases };
  const watch = createSelfWatch(db);
  const sealing = { keys, graceMs: policy.secretGraceMs };
  const bell = createPushBell(options.databaseUrl, embedded);
  const push = { db, notifies: !embedded, changed: bell.ring };
  return {
    ping: async () => {
      await db.run('select 1', [], { timeoutMs });
    },
    close: () => db.close(),

    ingest: async (batch) => {
      await watch.usage(batch);
      return ingest(db, ingestPolicy, batch);
    },
    ensurePeriods: (seeds, now) => ensurePeriods(db, seeds, now, runIdleMs),
    quarantine: async (events) => {
      await quarantine(db, events);
      await watch.quarantined(events);
    },
    quarantined: (org, limit, before) => listQuarantined(db, org, limit, before),
    reportRun: (report) => reportRun(db, report, runIdleMs),

    claimPeriods: (request) => claimPeriods(db, request),
    periodReported: (claim, now, nextInMs, isStarted) =>
      periodReported(db, claim, now, nextInMs, isStarted),
    periodFailed: (claim, failure) => periodFailed(db, claim, failure),
    closePeriod: (claim, now, hasEnded) => closePeriod(db, claim, now, hasEnded),
    recordLate: (claim, late) => recordLate(db, claim, late),
    claimAlerts: (request) => claimAlerts(db, request),
    alertStarted: (id, fence) => alertStarted(db, id, fence),
    alertFailed: (id, fence, failure) => alertFailed(db, id, fence, failure),
    lag: (now) => lag(db, now),

    publish: (published, now) => publish(db, published, now),
    openPeriod: (seed, now) => openPeriod(db, seed, now, runIdleMs),

    openDelivery: async (ref, now) => {
      const opened = await openDelivery(db, { keys, policy }, ref, now);
      // A test message that goes nowhere is told to whoever sends it.
      const isLost =
        ref.purpose === 'fire' &&
        opened.type === 'suppressed' &&
        opened.reason === 'no_destination';
      if (isLost) await watch.noDestination(ref, now);
      return opened;
    },
    beginAttempt: (ref, attempt, message, now) => beginAttempt(db, ref, attempt, message, now),
    finishAttempt: (ref, attempt, outcome, now, isLast = false) =>
      finishAttempt(db, policy, { ref, attempt, outcome, now, isLast }),
    appendJournal: (alert, entries) => appendJournal(db, alert, entries),

    putCallback: (callback, now) => putCallback(db, callback, now, timeoutMs),
    claimCallbacks: (request) => claimCallbacks(db, request),
    callbackDone: (claim, result) => callbackDone(db, claim, result),
    callbackFailed: (claim, failure) => callbackFailed(db, claim, failure),
    forgetCallbacks: (receivedBefore) => forgetCallbacks(db, receivedBefore),
    noteReceipt: (provider, word, now) => noteReceipt(db, policy, { provider, word, now }),
    alertsOfIncident: (key, raisedUntil) => alertsOfIncident(db, key, raisedUntil),

    addSilence: (silence) => addSilence(db, silence),
    endSilence: (org, id, author) => endSilence(db, org, id, author),
    silences: (query) => listSilences(db, query),
    claimSilenced: (request) => claimSilenced(db, request),
    silencedTold: (claim) => silencedTold(db, claim),
    silencedFailed: (claim, failure) => silencedFailed(db, claim, failure),
    forgetSilenced: (endedBefore) => forgetSilenced(db, endedBefore),
    offerPush: (offer, now) => offerPush(push, offer, now),
    putPushTicket: (ticket) => putPushTicket(db, ticket),
    redeemPushTicket: (hash, session, most, now) => redeemPushTicket(db, hash, session, most, now),
    missedPush: (person, since, limit) => missedPush(db, person, since, limit),
    pushChanges: (gateway, after, limit) => pushChanges(db, gateway, after, limit),
    beatPush: (gateway) => beatPush(db, gateway),
    putPushSessions: (sessions) => putPushSessions(db, sessions),
    endPushSessions: (ids) => endPushSessions(db, ids),
    endPushGateway: (gateway) => endPushGateway(db, gateway),
    acknowledgePush: (person, id, now, leaseMs) => acknowledgePush(push, person, id, now, leaseMs),
    claimPushConfirmations: (request) => claimPushConfirmations(db, request),
    pushConfirmed: (confirmation) => pushConfirmed(db, confirmation),
    sweepPush: (now) => sweepPush(db, now),
    watchPush: (wake) => bell.watch(wake),

    configurations: (org, scopes) => configurations(db, org, scopes),
    configure: (request) => configure(db, request, runIdleMs),
    changeLayer: (request) => changeLayer(db, request, runIdleMs),
    resetPeriod: (request) => resetPeriod(db, request, runIdleMs),
    layers: (org, scope, limit) => listLayers(db, org, scope, limit),
    endLayers: (now, which) => endLayers(db, now, runIdleMs, which),
    audit: (query) => listAudit(db, query),
    putDestinations: (org, destinations, now = Date.now()) =>
      putDestinations(db, sealing, org, destinations, now),
    knownDestinations: (org, reference) => listDestinations(db, keys, org, reference),
    setDefaultDestination: (org, channel, reference, author) =>
      setDefaultDestination(db, org, { channel, reference }, author),
    confirmDestination: (org, reference, by, now) =>
      confirmDestination(db, org, reference, { by, now }),
    restoreDestination: (org, reference, by, now) =>
      restoreDestination(db, org, reference, { by, now }),
    allowedEmailDomains: (org) => allowedEmailDomains(db, org),
    setAllowedEmailDomains: (org, domains, author) =>
      setAllowedEmailDomains(db, org, domains, author),
    setOperators: (org, operators, author) => setOperators(db, org, operators, author),
    setEscalation: (org, escalation, author) => setEscalation(db, org, escalation, author),
    organisationSettings: (org) => organisationSettings(db, org),
    response: (org, alert) => response(db, policy, org, alert),

    recipients: (query) => listRecipients(db, keys, query),
    recipient: async ({ org, id }) => (await listRecipients(db, keys, { org, id, limit: 1 }))[0],
    putRecipient: (recipient, author) => putRecipient(db, recipient, author),
    removeRecipient: (ref, author) => removeRecipient(db, ref, author),
    setPreferences: (ref, preferences, author) => setPreferences(db, ref, preferences, author),
    unsubscribe: (ref, author) => unsubscribe(db, ref, author),
    putContact: (contact, author) => putContact(db, keys, contact, author),
    removeContact: (ref, author) => removeContact(db, ref, author),
    newCode: (code) => newCode(db, keys, code),
    verifyContact: (ref, code, author) => verifyContact(db, keys, ref, code, author),
    routeAlert: (input, now) => routeAlert(db, input, now),
    routing: (org, alertId) => routingOf(db, org, alertId),

    operatorNotices: (org, limit, before) => listOperatorNotices(db, org, limit, before),
    tellOperators: (org, notice, now) => tellOperators(db.run, org, notice, now),
    sendNotice: (notice, terms) => sendNotice(db, notice, terms),
    noticeWords: (org, alertId) => noticeWords(db, org, alertId),
    claimDigests: (request) => claimDigests(db, request),
    digestWoken: (due, now, watchMs) => digestWoken(db, due, now, watchMs),
    digestNotWoken: (due, failure) => digestNotWoken(db, due, failure),
    planDigest: (ref, plan) => planDigest(db, ref, plan),
    claimDigest: (ref, now) => claimDigest(db, ref, now),
    digestContents: (org, id) => digestContents(db, org, id),
    waitingContents: (ref) => waitingContents(db, ref),
    endDigest: (ref, id, end, now) => endDigest(db, ref, id, end, now),
    digests: (org, recipient, limit) => listDigests(db, org, recipient, limit),
    raiseNotices: (frozen, now) => raiseNotices(db, frozen, now),
    stop: (org, word) => stop(db, org, word),
    resume: (org, agent, by, now, reason) => resume(db, org, agent, by, now, reason),
    stopped: (org) => stopsOf(db.run, org),

    apiKey: (hash) => findApiKey(db, hash),
    keyRefused: (hash, now) => watch.keyRefused(hash, now),
    putApiKey: (hash, key, now = Date.now()) => putApiKey(db, hash, key, now),
    createKey: (key) => createKey(db, key),
    rotateKey: (rotation) => rotateKey(db, rotation),
    revokeKey: (org, id, by, now) => revokeKey(db, org, id, by, now),
    keys: (query) => listKeys(db, query),

    claimWrite: (claim) => claimWrite(db, claim),
    finishWrite: (ref, holder, stored, until) => finishWrite(db, ref, holder, stored, until),
    releaseWrite: (ref, holder) => releaseWrite(db, ref, holder),

    ...openRuleBook(db),
    ...openLeases(db, { policy: leasePolicy, runIdleMs }),

    budgets: (query) => listBudgets(db, leasePolicy.vanishedMs, query),
    alerts: (query) => listAlerts(db, query),
    alert: (org, id) => findAlert(db, org, id),
    exportPage: (kind, query) => exportPage(db, kind, query),
    prune: (kind, request) => prune(db, kind, request),
    agentNames: (org, agent, limit) => agentNames(db, org, agent, limit),
    usage: (org, agent) => usage(db, org, agent),
  };
}
