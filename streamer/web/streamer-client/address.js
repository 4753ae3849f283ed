/** The address of an endpoint, as programs give it. */

import { show } from './known-options.js';

/** The address that messages show as an example. */
const EXAMPLE = 'http://127.0.0.1:8080/api/v1/segmented';

/** @type {Record<string, string>} Schemes that an address may have → those of its WebSocket. */
const SCHEMES = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' };

/** A host with a port, `localhost`, or an IPv4 address, with nothing before it. */
const HOST_FIRST = /^(?:(?:[\w.-]+|\[[\da-f:.]+\]):\d+|localhost|\d+(?:\.\d+){3})(?:[/?#]|$)/i;

/**
 * @param {string | URL} given It may be relative to the page.
 * @returns {string} Absolute; it begins with `ws:` or `wss:`.
 * @throws {TypeError} It is missing, or is no address of a WebSocket.
 */
export function resolveAddress(given) {
  if (given === undefined || given === null || given === '') {
    throw new TypeError("the address is missing; give one such as '/api/v1/segmented'");
  }
  // A URL of another frame is no instance of this one's class.
  if (typeof given !== 'string' && Object.prototype.toString.call(given) !== '[object URL]') {
    throw new TypeError(`the address is ${show(given)}; allowed: text, or a URL, such as '/api/v1/segmented'`);
  }
  if (HOST_FIRST.test(String(given))) {
    // Otherwise it would be a path on the page's own server, or its host would be a scheme.
    throw new TypeError(`http:// is missing before the address ${given}; give http://${given}`);
  }
  const address = resolve(given);
  const scheme = SCHEMES[address.protocol];
  if (scheme === undefined) {
    const rule = 'it must begin with http:, https:, ws: or wss:';
    throw new TypeError(`the address is ${address.href}, but ${rule}, such as ${EXAMPLE}`);
  }
  if (address.hash !== '') {
    // A WebSocket does not open with one (RFC 6455, section 3).
    throw new TypeError(`the address ${given} has a fragment, which a WebSocket may not have; leave out ${address.hash}`);
  }
  address.protocol = scheme;
  address.hash = ''; // an empty one, too
  return address.href;
}

/** @param {string | URL} given */
function resolve(given) {
  try {
    return new URL(given, globalThis.document?.baseURI);
  } catch (cause) {
    throw new TypeError(`the address ${given} is not valid; give a whole one, such as ${EXAMPLE}`, { cause });
  }
}
