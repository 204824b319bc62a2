/**
 * What a mail server's refusal means. Its code decides, and the enhanced one (RFC 3463) before it:
 * `550 5.1.1` is about the recipient, `550 5.7.1` about who may send here.
 */
import type { Outcome, OutcomeKind } from '../domain/alert/outcome.js';
import { redact } from './redact.js';

/** How far the attempt had come. */
export type SmtpPhase =
  /** No connection yet. */
  | 'connecting'
  /** Commands; the message has not been asked for. */
  | 'talking'
  /** The server said `354`: the message, and its end, may have reached it. */
  | 'sending';

export interface SmtpFault {
  /** An error of the package's, or of the network's. */
  readonly error: unknown;
  readonly phase: SmtpPhase;
  readonly timedOut: boolean;
  /** Password, user, host, address (C-4). */
  readonly secrets: readonly string[];
}

const RATE_CODES: ReadonlySet<number> = new Set([421, 450, 451, 452]);
const RATE_WORDS = /\brate\b|too (?:many|much|fast)|throttl|slow down|limit|exceed/i;
const RECIPIENT_CODES: ReadonlySet<number> = new Set([550, 551, 553]);
/** 5.1.7 and 5.1.8 are about the sender's address; 5.2.x is the recipient's mailbox. */
const RECIPIENT_ENHANCED = /^5\.(?:1\.(?![78]$)|2\.)\d{1,3}$/;

export function outcomeOfSmtpFault({ error, phase, timedOut, secrets }: SmtpFault): Outcome {
  const { responseCode, response, command, code } = fieldsOf(error);
  if (responseCode !== undefined && responseCode >= 400) {
    const kind = kindOfReply(responseCode, response, command);
    const said = kind.startsWith('permanent_') ? redact(response, secrets) : '';
    const shown = said === '' ? String(responseCode) : said;
    return { kind, reason: `SMTP ${shown}${command === '' ? '' : ` (${command})`}` };
  }
  if (phase === 'sending') {
    return { kind: 'ambiguous', reason: `${wordsOf(code, timedOut)} after the message was sent` };
  }
  // Missing or unsupported ways to log in, and an envelope the package refuses.
  if (code === 'EAUTH') {
    return { kind: 'permanent_config', reason: 'the mail server offers no way to log in' };
  }
  if (code === 'EENVELOPE') {
    return { kind: 'permanent_recipient', reason: 'not an email address' };
  }
  return { kind: 'transient', reason: `${wordsOf(code, timedOut)}, no message was sent` };
}

function kindOfReply(status: number, response: string, command: string): OutcomeKind {
  if (status < 500) {
    return RATE_CODES.has(status) && RATE_WORDS.test(response) ? 'throttled' : 'transient';
  }
  if (!/^(?:RCPT TO|DATA)$/.test(command)) return 'permanent_config';
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1];
  // A full mailbox is emptied some day: nobody is gone.
  if (enhanced === '5.2.2') return 'transient';
  const isRecipient =
    enhanced === undefined ? RECIPIENT_CODES.has(status) : RECIPIENT_ENHANCED.test(enhanced);
  return isRecipient ? 'permanent_recipient' : 'permanent_config';
}

const FAULT_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name not found',
  ETLS: 'TLS handshake failed',
  EPROTOCOL: 'an answer that is not SMTP',
  ETIMEDOUT: 'timed out',
};

function wordsOf(code: string, timedOut: boolean): string {
  return timedOut ? 'timed out' : (FAULT_WORDS[code] ?? 'connection closed');
}

function fieldsOf(error: unknown) {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly [name in 'responseCode' | 'response' | 'command' | 'code' | 'originalCode']?: unknown;
  };
  const { responseCode, response, command } = fields;
  // The package's own code hides that of TLS behind `ESOCKET`.
  const code = isTlsCode(fields.originalCode) ? 'ETLS' : fields.code;
  return {
    responseCode: typeof responseCode === 'number' ? responseCode : undefined,
    response: typeof response === 'string' ? response : '',
    // `AUTH PLAIN`, `MAIL FROM`: the package's own words, without what came behind them.
    command: typeof command === 'string' && /^[A-Z ]{1,20}$/.test(command) ? command : '',
    code: typeof code === 'string' ? code : '',
  };
}

function isTlsCode(code: unknown): boolean {
  return (
    typeof code === 'string' &&
    /^(?:ERR_TLS|ERR_SSL|EPROTO|CERT_|UNABLE_TO_|SELF_|DEPTH_)/.test(code)
  );
}
