/**
 * An email's subject, html and text, from one view. Addresses and keys are no part of it: they are
 * added when it is sent (C-1), so the stored bytes hold none.
 */
import { describeAlert, oneLine, type AlertText } from './alert-title.js';
import type { AlertView } from './channel.js';
import { parseJson } from './json.js';

export interface EmailContent {
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  /** ISO, of the crossing: SMTP needs a date, and it must be the same on every attempt (A11). */
  readonly date?: string;
  /** RFC 8058. Where one click ends mails of this kind; of digests alone. */
  readonly unsubscribe?: string;
}

/** Mail programs cut there anyway, and some servers refuse much longer ones. */
const SUBJECT_LIMIT = 200;

export function renderEmail(view: AlertView): EmailContent {
  const text = describeAlert(view);
  // `oneLine` removes CR and LF: a name must never begin a header of its own.
  const subject = oneLine(`[${view.facts.priority.toUpperCase()}] ${text.title}`, SUBJECT_LIMIT);
  const date = new Date(view.facts.at).toISOString();
  return { subject, html: renderHtml(text), text: renderText(text), date };
}

/** The stored form; undefined where it is none. */
export function parseEmail(body: string): EmailContent | undefined {
  const content = parseJson(body);
  return isEmailContent(content) ? content : undefined;
}

function isEmailContent(value: unknown): value is EmailContent {
  if (typeof value !== 'object' || value === null) return false;
  const { subject, html, text, date, unsubscribe } = value as Record<string, unknown>;
  const isOptional = (part: unknown): boolean => part === undefined || typeof part === 'string';
  return (
    [subject, html, text].every((part) => typeof part === 'string') &&
    [date, unsubscribe].every(isOptional)
  );
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function renderText({ title, body, lines, notes, link }: AlertText): string {
  const facts = lines.map(({ label, value }) => `${label}: ${value}`);
  const said = body === undefined ? [] : [body, ''];
  const notesApart = notes.flatMap((note) => ['', note]);
  const at = link === '' ? [] : ['', link];
  return [title, '', ...said, ...facts, ...notesApart, ...at, ''].join('\n');
}

function renderHtml({ title, body, lines, notes, link }: AlertText): string {
  const rows = lines.map(
    ({ label, value }) =>
      `<tr><td style="padding:2px 16px 2px 0;color:#666">${escapeHtml(label)}</td>` +
      `<td style="padding:2px 0">${escapeHtml(value)}</td></tr>`,
  );
  return [
    '<!doctype html>',
    '<html lang="en"><body style="font-family:sans-serif;font-size:15px;color:#222">',
    `<h1 style="font-size:18px">${escapeHtml(title)}</h1>`,
    ...(body === undefined ? [] : [`<p style="white-space:pre-wrap">${escapeHtml(body)}</p>`]),
    '<table style="border-collapse:collapse">',
    ...rows,
    '</table>',
    ...notes.map((note) => `<p>${escapeHtml(note)}</p>`),
    ...(link === '' ? [] : [`<p><a href="${escapeHtml(link)}">Open in Kavach</a></p>`]),
    '</body></html>',
    '',
  ].join('\n');
}

/** RFC 8058: a mail program shows a button, and its POST is the one click. */
export function unsubscribeHeaders({
  unsubscribe,
}: EmailContent): Readonly<Record<string, string>> {
  if (unsubscribe === undefined) return {};
  return {
    'List-Unsubscribe': `<${unsubscribe}>`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  };
}
