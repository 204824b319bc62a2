/** Something a person has to read: no stack, exit code 1. Names subject, cause and next step. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  constructor(
    message: string,
    /** HTTP status behind it, where there was one. */
    readonly status?: number,
    /** The words of the problem it came with. */
    readonly detail?: string,
  ) {
    super(message);
  }
}
