/** One thing that is taken away, and the test that must then turn red. */

export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Mutant {
  /** What is gone, in the words of the rule. */
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly test: string;
  /** Only tests whose name matches; for files that hold much more. */
  readonly only?: string;
  /** Needs a Temporal server. */
  readonly server?: true;
}

export const edit = (file: string, from: string, to: string): Edit => ({ file, from, to });
