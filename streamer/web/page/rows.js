/** The rows of a transcript with several columns: what was said at the same time is side by side. */

/** Seconds within which entries of different channels begin in the same row. */
const ROW_SECONDS = 1;

/** @typedef {{channel: number, start: number}} Placed Time in seconds. */

/**
 * @template {Placed} T
 * @param {T[]} entries In any order.
 * @returns {Map<T, number>} The row of each entry, from 0. An entry that begins later is never in an
 *   earlier row, and a row holds one entry of each channel at most.
 */
export function rowsOf(entries) {
  const rows = new Map();
  const taken = new Set();
  let row = -1;
  let rowStart = -Infinity;
  for (const entry of [...entries].sort((a, b) => a.start - b.start || a.channel - b.channel)) {
    if (row < 0 || taken.has(entry.channel) || entry.start - rowStart >= ROW_SECONDS) {
      row += 1;
      rowStart = entry.start;
      taken.clear();
    }
    taken.add(entry.channel);
    rows.set(entry, row);
  }
  return rows;
}
