/** Text, numbers and other values in a model's output. */

import { formatNumber } from './format.js';

/** @typedef {Record<string, unknown>} Output The model's own fields of an event. */

/**
 * @param {{output: Output | null}} entry
 * @returns {string | null} The words of a transcriber; null for a model that does not transcribe.
 */
export function textOf({ output }) {
  return typeof output?.text === 'string' ? output.text : null;
}

/**
 * @param {Output} output
 * @returns {Array<[string, number]>} Each number with its name. A number inside an object is named
 *   `object.field`. In a list of `{label, score}`, each label is a name.
 */
export function numbersOf(output) {
  return Object.entries(output).flatMap(([name, value]) => numbersIn(name, value, true));
}

/**
 * @param {{output: Output | null}} entry
 * @returns {Array<[string, string]>} Each text and each truth value with its name.
 */
export function otherValuesOf({ output }) {
  return Object.entries(output ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'boolean' ? [[name, String(value)]] : [],
  );
}

/**
 * @param {{output: Output | null}} entry
 * @returns {string} The output on one line: the words of a transcriber, or the values by name.
 */
export function lineOf(entry) {
  const text = textOf(entry);
  if (text !== null) return oneLine(text);
  const numbers = numbersOf(entry.output ?? {}).map(([name, value]) => `${name} ${formatNumber(value)}`);
  const others = otherValuesOf(entry).map(([name, value]) => `${name} ${oneLine(value)}`);
  return [...numbers, ...others].join(', ');
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {boolean} goDeeper Whether numbers inside an object count.
 * @returns {Array<[string, number]>}
 */
function numbersIn(name, value, goDeeper) {
  if (typeof value === 'number') return [[name, value]];
  if (!goDeeper || typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) {
    return value.flatMap((item) =>
      typeof item?.label === 'string' && typeof item.score === 'number'
        ? [/** @type {[string, number]} */ ([item.label, item.score])]
        : [],
    );
  }
  return Object.entries(value).flatMap(([field, inner]) =>
    numbersIn(`${name}.${field}`, inner, false),
  );
}

/** @param {string} text */
export const oneLine = (text) => text.replace(/\s+/g, ' ').trim();
