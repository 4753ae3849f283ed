/** Names that a program gives, and that may be misspelt. */

/** Letters of which a name may differ from the one that was meant. */
const MOST_EDITS = 2;

/**
 * @param {string} kind What it is the name of, for people.
 * @param {string} name
 * @param {readonly string[]} known
 * @param {Readonly<Record<string, string>>} [others] By a name that other programs have: what to do.
 * @throws {TypeError} It is not known.
 */
export function checkName(kind, name, known, others = {}) {
  if (known.includes(name)) return;
  const instead = Object.hasOwn(others, name) ? others[name] : undefined;
  if (instead !== undefined) throw new TypeError(`there is no ${kind} '${name}'; ${instead}`);
  const near = known.find((other) => isNear(plain(name), plain(other)));
  const hint = near === undefined ? `allowed: ${known.join(', ')}` : `did you mean '${near}'?`;
  throw new TypeError(`there is no ${kind} '${name}'; ${hint}`);
}

/** @param {string} name */
const plain = (name) => name.toLowerCase().replaceAll(/[_-]/g, '');

/**
 * @param {string} name
 * @param {string} other
 */
const isNear = (name, other) =>
  isWithin(name, other, Math.min(MOST_EDITS, Math.floor(other.length / 3)));

/**
 * @param {string} from
 * @param {string} to
 * @param {number} edits
 * @returns {boolean} Whether so many letters added, removed or replaced make one of the other.
 */
function isWithin(from, to, edits) {
  if (edits < 0) return false;
  if (from === '' || to === '') return from.length + to.length <= edits;
  if (from[0] === to[0]) return isWithin(from.slice(1), to.slice(1), edits);
  return (
    isWithin(from.slice(1), to, edits - 1) ||
    isWithin(from, to.slice(1), edits - 1) ||
    isWithin(from.slice(1), to.slice(1), edits - 1)
  );
}
