/** `kavach erase`: a person's address or name out of the ledger, and what remains of them. */
import { erase, type Erased } from '../ledger/erase.js';
import { patternOf, refusePerson, type Person } from '../ledger/erase-match.js';
import { CliError } from './errors.js';
import { openOperatedLedger, operatedSealKeys, type Environment } from './ledger-access.js';
import type { Output } from './output.js';

export interface EraseFlags {
  readonly email?: string;
  readonly phone?: string;
  readonly user?: string;
  readonly by?: string;
}

/** Exit code 0; 1 where there are destinations that no key opens, as they may be the person's. */
export async function erasePerson(
  output: Output,
  env: Environment,
  flags: EraseFlags,
): Promise<number> {
  const person = personOf(flags);
  const keys = operatedSealKeys(env);
  const ledger = await openOperatedLedger(env);
  try {
    const by = flags.by ?? 'operator';
    const erased = await erase(ledger.db, keys, person, { by, now: Date.now() });
    const remains = remainsOf(person, erased, env);
    output.json({ kind: person.kind, ...erased, remains });
    show(output, erased, remains);
    return erased.unopened === 0 ? 0 : 1;
  } finally {
    await ledger.close();
  }
}

function personOf({ email, phone, user }: EraseFlags): Person {
  const given: Person[] = [
    ...(email === undefined ? [] : [{ kind: 'email', value: email.trim() } as const]),
    ...(phone === undefined ? [] : [{ kind: 'phone', value: phone.trim() } as const]),
    ...(user === undefined ? [] : [{ kind: 'user', value: user.trim() } as const]),
  ];
  const [person] = given;
  if (person === undefined || given.length > 1) {
    throw new CliError('Say whom: one of --email, --phone or --user');
  }
  const fault = refusePerson(person);
  if (fault !== undefined) throw new CliError(`--${person.kind}: ${fault}`);
  return person;
}

function show(output: Output, erased: Erased, remains: readonly string[]): void {
  output.line(output.paint('strong', 'Erased'));
  output.line(`  ${String(erased.recipients)} recipients of that id or name`);
  output.line(`  ${String(erased.destinations)} destinations of the address`);
  output.line(`  ${String(erased.messages)} messages rendered for them`);
  output.line(`  ${String(erased.routes)} defaults and operators' routes that pointed to them`);
  output.line(`  ${String(erased.names)} records whose \`by\` it was`);
  output.line(`  ${String(erased.texts)} records with the address in some text`);
  output.line(output.paint('strong', 'Remains'));
  for (const each of remains) output.line(`  ${each}`);
}

/** What this command cannot reach, in the order of how much it matters. */
function remainsOf(person: Person, erased: Erased, env: Environment): string[] {
  const kept = Object.entries(erased.kept).map(
    ([place, count]) => `${String(count)} rows are named after it (${place}): totals hang on them`,
  );
  const pattern = patternOf(person);
  const search = pattern === undefined ? undefined : new RegExp(pattern, 'i');
  const variables = Object.keys(env).filter((name) => search?.test(env[name] ?? ''));
  return [
    ...(erased.unopened === 0
      ? []
      : [
          `${String(erased.unopened)} destinations that no key here opens may be theirs: ` +
            'add the old keys to KAVACH_SEAL_KEYS and run it again',
        ]),
    ...variables.map((name) => `${name} holds it: the next start would set it again`),
    ...kept,
    "what agents' own code names comes back at their next sync: change it there first",
    'who acknowledged or resolved an alert may stand in its history at Temporal until the ' +
      "namespace's retention ends; addresses never do",
    'backups, logs and what was exported before hold what they held',
    ...(person.kind === 'user' ? ['notes and reasons are not searched for names'] : []),
  ];
}
