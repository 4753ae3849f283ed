/** Key terms as a person writes them: one a line, or separated by commas. */

/** Of one stream; the server allows no more. */
const MAX_TERMS = 100;

/** Characters of a term; the server allows no more. */
const MAX_LENGTH = 100;

/** Characters of a term that is shown in a sentence. */
const SHOWN_LENGTH = 30;

/** Not those that words of Persian, Hindi and other languages are written with. */
const INVISIBLE = /(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * @param {string} text
 * @returns {string[]} Each term once.
 */
export function keyTermsIn(text) {
  const terms = text.split(/[\n\r,]/).map((term) => term.replaceAll(/[ \t]+/g, ' ').trim());
  return [...new Set(terms.filter((term) => term !== ''))];
}

/**
 * @param {string[]} terms
 * @returns {string} What the server would not accept, for people; empty if it accepts them.
 */
export function problemOfKeyTerms(terms) {
  if (terms.length > MAX_TERMS) return `These are ${terms.length} key terms; allowed: up to ${MAX_TERMS}.`;
  for (const term of terms) {
    const { length } = [...term];
    const shown = length > SHOWN_LENGTH ? `${[...term].slice(0, SHOWN_LENGTH).join('')}…` : term;
    if (length > MAX_LENGTH) return `The key term “${shown}” has ${length} characters; allowed: up to ${MAX_LENGTH}.`;
    if (!/[\p{L}\p{N}]/u.test(term)) return `The key term “${shown}” has no letter and no digit.`;
    if (INVISIBLE.test(term)) return `The key term “${shown}” has an invisible character.`;
  }
  return '';
}
