/**
 * CSV by RFC 4180: lines end in CRLF, a cell with a comma, a quote or a line break is quoted.
 * CSV-1. No cell begins a formula in a spreadsheet: text that begins with `=`, `+`, `-`, `@`, a tab
 *        or a carriage return gets a `'` before it. So does text that begins with `'` itself:
 *        whoever takes one leading `'` away has what was there, to the byte.
 * CSV-2. Nothing is an empty cell, an empty text is `""`.
 */

/** One line, with its end. Numbers stand as they are, records as JSON. */
export function csvLine(cells: readonly unknown[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = /^[=+\-@\t\r']/.test(text) ? `'${text}` : text;
  return safe === '' || /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
