/** What keeps an alert that nobody got from ending unheard, and the operators from hearing too much. */
import { edit, type Mutant } from './mutant.js';

const FILE = 'domain/alert/last-resort.ts';
const TEST = 'test/domain/alert-last-resort.test.ts';

export const LAST_RESORT_MUTANTS: readonly Mutant[] = [
  {
    name: 'an alert that nobody got is told to the operators (A1, A5)',
    edits: [
      edit(
        'domain/alert/reduce.ts',
        'const opened = openLastResort(escalated, isOver, now);',
        'const opened = escalated;',
      ),
    ],
    test: 'test/domain/routing-decisions.test.ts',
  },
  {
    name: 'all of the operators are tried before an alert is given up (A5)',
    edits: [
      edit(
        FILE,
        'before.input.response?.operators ?? []',
        '(before.input.response?.operators ?? []).slice(0, 1)',
      ),
    ],
    test: 'test/simulation/alert-worlds.test.ts',
  },
  {
    name: 'never a destination already tried (LO-2, A5)',
    edits: [
      edit(
        FILE,
        'const tried = triedWays(before);',
        'const tried = triedWays({ ...before, deliveries: before.deliveries.filter(({ cause }) => cause === "last_resort") });',
      ),
    ],
    test: TEST,
  },
  {
    name: 'not while something is held or somebody has it (LO-1)',
    edits: [edit(FILE, 'if (!isSettled || fires.length === 0)', 'if (fires.length === 0)')],
    test: TEST,
  },
  {
    name: 'what people chose holds for all but a critical alert (LO-3)',
    edits: [edit(FILE, "isChosen && input.facts.priority === 'critical'", 'isChosen')],
    test: TEST,
  },
  {
    name: 'a last resort has no fallback (A5)',
    edits: [edit('domain/alert/fallback.ts', "cause !== 'last_resort' && ", '')],
    test: TEST,
  },
];
