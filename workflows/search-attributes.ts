/** What lists of workflows can be searched by. All are keywords; none carries an address. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

export const kavachOrg = defineSearchAttributeKey('KavachOrg', SearchAttributeType.KEYWORD);
export const kavachAgent = defineSearchAttributeKey('KavachAgent', SearchAttributeType.KEYWORD);
/** open, killed, closed of a budget; firing, acknowledged, resolved of an alert. */
export const kavachState = defineSearchAttributeKey('KavachState', SearchAttributeType.KEYWORD);
export const kavachSeverity = defineSearchAttributeKey(
  'KavachSeverity',
  SearchAttributeType.KEYWORD,
);
