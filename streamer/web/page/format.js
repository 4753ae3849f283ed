/** Times and numbers as text. */

/**
 * @param {number} seconds
 * @returns {string} Such as `1:02.3`.
 */
export function formatTime(seconds) {
  const tenths = Math.round(Math.max(0, seconds) * 10);
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${((tenths % 600) / 10).toFixed(1).padStart(4, '0')}`;
}

/**
 * @param {number | undefined} ms
 * @returns {string} Such as `250 ms` or `1.2 s`.
 */
export function formatDuration(ms) {
  if (ms === undefined) return '–';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/**
 * @param {number} value
 * @returns {string} With four significant digits.
 */
export const formatNumber = (value) => String(Number(value.toPrecision(4)));
