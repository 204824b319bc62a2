/** `kavach recipients`: people whom alerts are told to, and how they are reached. */
import type { ContactView, RecipientView } from '../ledger/ledger.js';
import type { Gateway } from './http.js';
import { formatMoment } from './moment.js';
import type { Output } from './output.js';

export interface Who {
  readonly by?: string;
}

/** What came of sending a code, as the gateway says it. */
interface CodeWord {
  readonly kind: string;
  readonly reason: string;
  readonly until?: number;
}

interface RecipientAnswer {
  readonly changed: boolean;
  readonly recipient: RecipientView;
  readonly code?: CodeWord;
}

const PAGE = 1_000;

export async function showRecipients(gateway: Gateway, output: Output): Promise<void> {
  const recipients: RecipientView[] = [];
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ limit: String(PAGE), ...(cursor && { cursor }) });
    const page = (await gateway.get(`/v1/recipients?${query.toString()}`)) as {
      recipients: readonly RecipientView[];
      nextCursor?: string;
    };
    recipients.push(...page.recipients);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  output.json({ recipients });
  if (recipients.length === 0) {
    output.line('There is no recipient: `kavach recipients add <id>` adds one.');
    return;
  }
  table(output, recipients);
}

export async function addRecipient(
  gateway: Gateway,
  output: Output,
  given: Who & { id: string; name?: string; email?: string; phone?: string },
): Promise<void> {
  const { id, email, phone, ...body } = given;
  const path = pathOf(id);
  let answer = (await gateway.put(path, body)) as RecipientAnswer;
  const codes: { channel: string; code: CodeWord }[] = [];
  const who = body.by === undefined ? {} : { by: body.by };
  for (const [channel, address] of Object.entries({ email, sms: phone })) {
    if (address === undefined) continue;
    answer = (await gateway.put(`${path}/contacts/${channel}`, {
      ...{ address, ...who },
    })) as RecipientAnswer;
    if (answer.code !== undefined) codes.push({ channel, code: answer.code });
  }
  output.json({ ...answer, ...(codes.length === 0 ? {} : { codes }) });
  table(output, [answer.recipient]);
  for (const { channel, code } of codes) sayCode(output, { id, channel, code });
}

export async function removeRecipient(
  gateway: Gateway,
  output: Output,
  { id, ...body }: Who & { id: string },
): Promise<void> {
  const answer = (await gateway.remove(pathOf(id), body)) as { changed: boolean };
  output.json(answer);
  output.line(answer.changed ? `${id} was removed.` : `There was no recipient ${id}.`);
}

export async function setContact(
  gateway: Gateway,
  output: Output,
  { id, channel, ...body }: Who & { id: string; channel: string; address: string },
): Promise<void> {
  const answer = (await gateway.put(contactPath(id, channel), body)) as RecipientAnswer;
  output.json(answer);
  table(output, [answer.recipient]);
  if (answer.code !== undefined) sayCode(output, { id, channel, code: answer.code });
  else output.line('Nothing changed.');
}

export async function removeContact(
  gateway: Gateway,
  output: Output,
  { id, channel, ...body }: Who & { id: string; channel: string },
): Promise<void> {
  const answer = (await gateway.remove(contactPath(id, channel), body)) as { changed: boolean };
  output.json(answer);
  output.line(answer.changed ? 'It is forgotten.' : 'There was none.');
}

/** Exit code 0; 1 where no code was sent. */
export async function sendCode(
  gateway: Gateway,
  output: Output,
  { id, channel, ...body }: Who & { id: string; channel: string },
): Promise<number> {
  const answer = (await gateway.post(`${contactPath(id, channel)}/code`, body)) as {
    code: CodeWord;
  };
  output.json(answer);
  sayCode(output, { id, channel, code: answer.code });
  return answer.code.kind === 'accepted' ? 0 : 1;
}

export async function verifyContact(
  gateway: Gateway,
  output: Output,
  { id, channel, ...body }: Who & { id: string; channel: string; code: string },
): Promise<void> {
  const path = `${contactPath(id, channel)}/verify`;
  const answer = (await gateway.post(path, body)) as RecipientAnswer;
  output.json(answer);
  table(output, [answer.recipient]);
}

export function pathOf(id: string): string {
  return `/v1/recipients/${encodeURIComponent(id)}`;
}

const contactPath = (id: string, channel: string): string =>
  `${pathOf(id)}/contacts/${encodeURIComponent(channel)}`;

function sayCode(
  output: Output,
  { id, channel, code }: { id: string; channel: string; code: CodeWord },
): void {
  if (code.kind !== 'accepted') {
    output.line(output.paint('bad', `No code was sent by ${channel}: ${code.reason}`));
    return;
  }
  const until = code.until === undefined ? '' : `, good until ${formatMoment(code.until)}`;
  output.line(`A code was sent by ${channel}${until}. Give it with`);
  output.line(`  kavach recipients verify ${id} ${channel} <code>`);
}

function table(output: Output, recipients: readonly RecipientView[]): void {
  output.table(
    [
      { head: 'ID' },
      { head: 'NAME' },
      { head: 'EMAIL' },
      { head: 'SMS' },
      { head: 'DIGEST' },
      { head: 'QUIET HOURS' },
      { head: 'ZONE' },
    ],
    recipients.map(({ id, name = '', contacts, preferences }) => [
      ...[id, name, contactText(output, contacts, 'email'), contactText(output, contacts, 'sms')],
      preferences.unsubscribed ? 'unsubscribed' : preferences.digest.cadence,
      preferences.quietHours === undefined
        ? ''
        : `${preferences.quietHours.from} to ${preferences.quietHours.to}`,
      preferences.zone,
    ]),
  );
}

function contactText(output: Output, contacts: readonly ContactView[], channel: string): string {
  const contact = contacts.find((each) => each.channel === channel);
  if (contact === undefined) return '';
  if (contact.verifiedAt === undefined) {
    return output.paint('warning', `${contact.masked}, not verified`);
  }
  if (contact.health === 'ok') return contact.masked;
  return output.paint('bad', `${contact.masked}, ${contact.health}`);
}
