/** `kavach silences …`: what is not told for a while, by whom and why (A13). */
import { matcherText } from '../domain/silence.js';
import type { Silence } from '../ledger/ledger.js';
import { CliError, type Gateway } from './http.js';
import { formatMoment } from './moment.js';
import type { Output } from './output.js';

interface SilenceAnswer {
  readonly changed: boolean;
  readonly silence: Silence;
}

export async function showSilences(
  gateway: Gateway,
  output: Output,
  { all }: { readonly all: boolean },
): Promise<void> {
  const silences = await allSilences(gateway, all);
  output.json({ silences });
  if (silences.length === 0) {
    output.line(all ? 'Nothing was ever silenced.' : 'Nothing is silenced.');
    return;
  }
  output.table(
    [
      { head: 'WHAT' },
      { head: 'FROM' },
      { head: 'UNTIL' },
      { head: 'WHO' },
      { head: 'WHY' },
      { head: 'ID' },
    ],
    silences.map((silence) => [
      matcherText(silence),
      formatMoment(silence.from),
      endText(silence),
      silence.by,
      silence.reason,
      silence.id,
    ]),
  );
}

export async function addSilence(gateway: Gateway, output: Output, body: object): Promise<void> {
  const answer = (await gateway.post('/v1/silences', body)) as SilenceAnswer;
  output.json(answer);
  const { silence } = answer;
  const what = output.paint('strong', matcherText(silence));
  output.line(`Silenced: ${what}, until ${formatMoment(silence.until)}. Kills are never held.`);
  output.line(`End it: kavach silences end ${silence.id}`);
}

/** By its id, or a unique beginning of it. */
export async function endSilence(
  gateway: Gateway,
  output: Output,
  { id, by }: { readonly id: string; readonly by?: string },
): Promise<void> {
  const path = `/v1/silences/${encodeURIComponent(await findId(gateway, id))}/end`;
  const answer = (await gateway.post(path, by === undefined ? {} : { by })) as SilenceAnswer;
  output.json(answer);
  const what = matcherText(answer.silence);
  output.line(
    answer.changed
      ? `No longer silenced: ${what}. What still fires is sent now.`
      : `It was over before: ${what}, until ${endText(answer.silence)}.`,
  );
}

function endText({ until, ended }: Silence): string {
  return ended === undefined ? formatMoment(until) : `${formatMoment(ended.at)} by ${ended.by}`;
}

async function findId(gateway: Gateway, text: string): Promise<string> {
  const ids = (await allSilences(gateway, true)).map(({ id }) => id);
  if (ids.includes(text)) return text;
  const [only, ...others] = text === '' ? [] : ids.filter((id) => id.startsWith(text));
  if (only !== undefined && others.length === 0) return only;
  throw new CliError(
    only === undefined
      ? `There is no silence ${JSON.stringify(text)}: \`kavach silences --all\` shows them`
      : `Several silences begin with ${JSON.stringify(text)}: ${[only, ...others].join(', ')}`,
  );
}

async function allSilences(gateway: Gateway, all: boolean): Promise<readonly Silence[]> {
  const found: Silence[] = [];
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({
      limit: '1000',
      ...(all ? { all: 'true' } : {}),
      ...(cursor === undefined ? {} : { cursor }),
    });
    const page = (await gateway.get(`/v1/silences?${query.toString()}`)) as {
      readonly silences: readonly Silence[];
      readonly nextCursor?: string;
    };
    found.push(...page.silences);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found;
}
