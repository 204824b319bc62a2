/** Instants for people at a terminal: UTC, as the ids and Temporal's UI have it. */

/** `1732190405000` -> `2024-11-21 12:00:05Z` */
export function formatMoment(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
