/** Numbers of the command line. */
import { InvalidArgumentError } from 'commander';

/** Of a page: `0` is none, and more than 1,000 is more than one answer holds. */
export function parseCount(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= 1_000) return count;
  throw new InvalidArgumentError('Expected a whole number from 1 to 1000.');
}

/** 0 or more. */
export function parseWhole(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number, 0 or more.');
}
