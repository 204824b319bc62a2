/**
 * Text that comes from anywhere and is shown beside ours. A control character may move a cursor or
 * begin a header of its own, and a mark that turns the direction of writing hides what stands
 * beside it: none of them gets through. Answers are well-formed text that any store can hold.
 */

/** On one line: white space and risky characters in a row are one space. `'a\r\n b' -> 'a b'` */
export function onOneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\s\p{Cc}\u202A-\u202E\u2066-\u2069]+/gu, ' ')
    .trim();
}

/** In its own lines, with tabs: each risky character is U+FFFD, so that it is seen. */
export function inItsLines(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, (found) =>
      found === '\n' || found === '\t' ? found : '\ufffd',
    );
}
