/** What `kavach keys …` asks of the gateway and shows; a key is printed once, where it is made. */
import type { KeyScope } from '../domain/words.js';
import type { KeyView } from '../ledger/ledger.js';
import { CliError, type Gateway } from './http.js';
import { formatMoment } from './moment.js';
import type { Output } from './output.js';

interface NewKeyAnswer {
  readonly key: string;
  readonly created: KeyView;
}

export interface KeyRequest {
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  readonly agent?: string;
  readonly org?: string;
  readonly by: string | undefined;
}

export async function createKey(
  gateway: Gateway,
  output: Output,
  { name, scopes, agent, org, by }: KeyRequest,
): Promise<void> {
  const answer = (await gateway.post('/v1/keys', {
    ...{ name, scopes },
    ...(agent === undefined ? {} : { agent }),
    ...(org === undefined ? {} : { org }),
    ...(by ? { by } : {}),
  })) as NewKeyAnswer;
  output.json(answer);
  showNew(output, answer);
}

export async function showKeys(gateway: Gateway, output: Output): Promise<void> {
  const keys = await allKeys(gateway);
  output.json({ keys });
  output.table(
    [
      { head: 'ID' },
      { head: 'NAME' },
      { head: 'SCOPES' },
      { head: 'AGENT' },
      { head: 'KEY' },
      { head: 'MADE' },
      { head: 'STATE' },
    ],
    keys.map((key) => [
      key.id,
      key.name,
      key.scopes.join(','),
      key.agent ?? '(all)',
      key.hint ?? '',
      key.createdAt === undefined ? '' : formatMoment(key.createdAt),
      stateOf(output, key),
    ]),
  );
}

export async function rotateKey(
  gateway: Gateway,
  output: Output,
  { key, graceSeconds, by }: { key: string; graceSeconds: number; by: string | undefined },
  /** Answers what of this machine held the key, and what became of it. */
  renew: (rotated: { id: string; key: string }) => readonly string[],
): Promise<void> {
  const id = await findKeyId(gateway, key);
  const body = { graceSeconds, ...(by ? { by } : {}) };
  const answer = (await gateway.post(`/v1/keys/${id}/rotate`, body)) as NewKeyAnswer & {
    readonly old: KeyView;
  };
  output.json(answer);
  showNew(output, answer);
  const { expiresAt } = answer.old;
  output.line(
    graceSeconds === 0 || expiresAt === undefined
      ? `The old key (${id}) is refused from now on.`
      : `The old key (${id}) is valid until ${formatMoment(expiresAt)}.`,
  );
  for (const line of renew({ id, key: answer.key })) output.line(line);
}

export async function revokeKey(
  gateway: Gateway,
  output: Output,
  { key, by }: { key: string; by: string | undefined },
): Promise<void> {
  const id = await findKeyId(gateway, key);
  const answer = (await gateway.post(`/v1/keys/${id}/revoke`, by ? { by } : {})) as {
    readonly changed: boolean;
    readonly revoked: KeyView;
  };
  output.json(answer);
  const { name } = answer.revoked;
  output.line(
    answer.changed
      ? `${name} (${id}) is ${output.paint('bad', 'revoked')}; every gateway refuses it within 5 s`
      : `${name} (${id}) was revoked before`,
  );
}

function showNew(output: Output, { key, created }: NewKeyAnswer): void {
  const whose = created.agent === undefined ? 'all agents' : `the agent ${created.agent}`;
  output.line(`${created.name} (${created.id}): ${created.scopes.join(', ')} for ${whose}`);
  output.line(`The key, shown this once: ${output.paint('strong', key)}`);
}

/** An id, or the name of one key that has not ended. */
async function findKeyId(gateway: Gateway, text: string): Promise<string> {
  const keys = await allKeys(gateway);
  if (keys.some(({ id }) => id === text)) return text;
  const named = keys.filter(
    ({ name, revokedAt, replacedBy }) =>
      name === text && revokedAt === undefined && replacedBy === undefined,
  );
  const [only] = named;
  if (only !== undefined && named.length === 1) return only.id;
  throw new CliError(
    only === undefined
      ? `There is no API key ${JSON.stringify(text)}: \`kavach keys list\` shows them`
      : `Several keys are named ${JSON.stringify(text)}; name one by its id: ` +
          named.map(({ id }) => id).join(', '),
  );
}

async function allKeys(gateway: Gateway): Promise<readonly KeyView[]> {
  const all: KeyView[] = [];
  let cursor: string | undefined;
  do {
    const more = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = (await gateway.get(`/v1/keys?limit=1000${more}`)) as {
      readonly keys: readonly KeyView[];
      readonly nextCursor?: string;
    };
    all.push(...page.keys);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return all;
}

function stateOf(output: Output, { revokedAt, expiresAt }: KeyView): string {
  if (revokedAt !== undefined) return output.paint('bad', `revoked ${formatMoment(revokedAt)}`);
  if (expiresAt === undefined) return 'valid';
  return output.paint('warning', `rotated; until ${formatMoment(expiresAt)}`);
}
