/** What the service has told its operators of itself, or could not (A15). */
import { noticesAnswer } from '../answers.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { readCursor, readPage } from '../paging.js';
import { pageQuery, placeInNumbers } from '../schemas.js';

const listNotices = {
  ...{ method: 'get', path: '/v1/notices', id: 'listNotices' },
  summary: 'What the service has to say of itself, newest first',
  description: 'Without `toldAt`: nobody was there to be told.',
  scopes: ['operate'],
  query: pageQuery,
  answers: { 200: { description: 'One page', schema: noticesAnswer } },
} as const satisfies Operation;

export function addNoticeRoute(routes: Routes, { ledger }: Gateway): void {
  routes.add(listNotices, async (c, { query: { limit, cursor } }) => {
    const { org } = c.get('key');
    const [before] = readCursor(placeInNumbers, cursor) ?? [];
    const { entries, ...page } = await readPage(
      limit,
      (most) => ledger.operatorNotices(org, most, before),
      ({ id }) => [id],
    );
    return c.json({ notices: entries, ...page });
  });
}
