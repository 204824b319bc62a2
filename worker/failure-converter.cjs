/**
 * Puts the messages and stack traces of failures where a payload codec seals them. Temporal's
 * packages `require` it by its path, in the workflows' bundle and outside: hence this form.
 */
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
