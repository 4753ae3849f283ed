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

/** Three significant digits, such as `494K` or `0.125`. */
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/**
 * @param {number} value
 * @returns {string} Of seven characters at most.
 */
export function formatCompact(value) {
  const size = Math.abs(value);
  return size !== 0 && (size < 0.01 || size >= 1e15) ? value.toExponential(0) : COMPACT.format(value);
}
