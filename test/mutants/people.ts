/** What keeps people from being told what, where and when they do not want it. */
import { edit, type Mutant } from './mutant.js';

const ROUTING = 'test/domain/routing.test.ts';
const DECISIONS = 'test/domain/routing-decisions.test.ts';
const LEDGER = 'test/contract/ledger-pglite.test.ts';

export const PEOPLE_MUTANTS: readonly Mutant[] = [
  {
    name: 'an address is verified before its first use',
    edits: [
      edit(
        'domain/routing.ts',
        "return contact.verified ? undefined : 'unverified';",
        'return undefined;',
      ),
    ],
    test: ROUTING,
  },
  {
    name: 'quiet hours hold (P4)',
    edits: [
      edit('domain/quiet-hours.ts', 'now < endsAt) return endsAt;', 'now < endsAt) continue;'),
    ],
    test: ROUTING,
  },
  {
    name: 'one decision for each recipient and channel (RO-1)',
    edits: [
      edit(
        'domain/routing.ts',
        'decided.push(...ofUnknown(id, wanted));',
        'decided.push(...ofUnknown(id, wanted).slice(0, 1));',
      ),
    ],
    test: DECISIONS,
  },
  {
    name: 'only what waits for a digest is in one (P3)',
    edits: [
      edit(
        'domain/routing.ts',
        "own.some(({ decision }) => decision.what === 'digest')",
        'own.length > 0',
      ),
    ],
    test: ROUTING,
  },
  {
    name: 'the first routing of an alert stands (LR-1)',
    edits: [
      edit(
        'ledger/routing.ts',
        'const before = await routedBefore(db.run, input);\n',
        'const before = undefined;\n',
      ),
      edit(
        'ledger/routing.ts',
        'if (written.length === 0) return (await routedBefore(run, input)) ?? routes;',
        'if (written.length === 0) return routes;',
      ),
    ],
    test: LEDGER,
    only: 'the first decision stands',
  },
  {
    name: 'a code has five tries (CO-2)',
    edits: [edit('ledger/contacts.ts', ' || tries >= MAX_TRIES', '')],
    test: LEDGER,
    only: 'a code is over after its time',
  },
  {
    name: 'a word to one part of an alert is a word to all (A14)',
    edits: [
      edit('domain/alert/reduce.ts', '[...effects, ...wordToParts(state, event, next)]', 'effects'),
    ],
    test: 'test/domain/alert-spread.test.ts',
  },
];
