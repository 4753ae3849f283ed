/** Why there may be no connection, or no answer. A browser does not say which reason it was. */

/** Names and addresses of this machine. */
const LOOPBACK = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/;

/** Of the endpoints, below any path of a proxy. */
const STREAM_PATH = /\/api\/v1\/(segmented|simple)$/;

const RIGHT_PATHS = 'use /api/v1/segmented or /api/v1/simple';

/** At a right path, who answers and is not the server that is meant. */
const OTHER_SERVER = 'not Streamer, or a proxy that does not pass this path on';

/**
 * @param {string} url Of the endpoint.
 * @returns {boolean} Whether its path is one of Streamer's, below any path of a proxy. Twice is a mistake:
 *   where only the server was asked for, the whole address was given.
 */
export function isStreamPath(url) {
  const { pathname } = new URL(url);
  return STREAM_PATH.test(pathname) && !pathname.includes('//') && pathname.split('/api/v1/').length === 2;
}

/** @param {string} url */
const wrongPath = (url) =>
  new URL(url).pathname.split('/api/v1/').length > 2
    ? `there is no stream at this path, which has /api/v1/ twice (${RIGHT_PATHS} once)`
    : `there is no stream at this path (${RIGHT_PATHS})`;

/**
 * @param {string} url
 * @returns {string} Why a server may accept a connection and not answer, for people.
 */
export const describeSilence = (url) =>
  isStreamPath(url)
    ? `it is ${OTHER_SERVER}, or it still loads its model`
    : `${wrongPath(url)}, or it is not Streamer`;

/**
 * @param {string} url Of the endpoint.
 * @param {string | undefined} [pageOrigin] Undefined outside of a page.
 * @param {number} [status] HTTP status of the answer, where the environment gives it.
 * @returns {string} For people.
 */
export function describeFailedConnection(url, pageOrigin = globalThis.document?.location?.origin, status) {
  const failure = `there is no connection to ${url}`;
  if (url.startsWith('ws:') && pageOrigin?.startsWith('https:') && !LOOPBACK.test(new URL(url).hostname)) {
    // The browser does not ask the server, so there are no other reasons.
    const secure = url.replace('ws', 'wss');
    return `${failure}: a page over https can only connect to a server over https (give ${secure}, or the same with https)`;
  }
  if (status === 404) {
    const reason = isStreamPath(url) ? `the server is ${OTHER_SERVER}` : wrongPath(url);
    return `${failure}: the answer is HTTP 404: ${reason}`;
  }
  const reasons = ['the server does not run', 'it has no room now'];
  if (url.startsWith('wss:')) reasons.push('it does not use TLS (then its address begins with http:// or ws://)');
  if (!isStreamPath(url)) reasons.push(wrongPath(url));
  else if (new URL(url.replace(/^ws/, 'http')).origin !== pageOrigin) reasons.push(`it is ${OTHER_SERVER}`);
  if (pageOrigin !== undefined) reasons.push(describeRefusal(url, pageOrigin));
  return `${failure}: ${reasons.join(', or ')}`;
}

/**
 * @param {string} url
 * @param {string} pageOrigin
 * @returns {string} The reason that is about the page.
 */
function describeRefusal(url, pageOrigin) {
  if (pageOrigin === 'null') {
    return 'it refuses this page, which was opened from a file and has no origin: open it over http';
  }
  const [server, page] = [new URL(url.replace(/^ws/, 'http')), new URL(pageOrigin)];
  if (server.origin === page.origin) {
    return (
      "it is not Streamer, because this address is the page's own server (to use another one, give its " +
      'whole address, such as ws://127.0.0.1:8080/api/v1/segmented), or it refuses this page, and then its ' +
      'log says what to set'
    );
  }
  const hint = isNameMixedUp(server, page)
    ? ': localhost and 127.0.0.1 are different origins, so use the same one for page and server'
    : '';
  return `it refuses this page, whose origin ${pageOrigin} must then be added to the server's access.origins${hint}`;
}

/**
 * @param {URL} server
 * @param {URL} page
 * @returns {boolean} Whether both are on this machine and on one port, by different names.
 */
function isNameMixedUp(server, page) {
  const areLocal = LOOPBACK.test(server.hostname) && LOOPBACK.test(page.hostname);
  return areLocal && server.hostname !== page.hostname && server.port === page.port;
}

/**
 * Whether a violation of the page's Content-Security-Policy is that of a connection.
 * @param {{ disposition: string, effectiveDirective: string, blockedURI: string }} violation
 * @param {string} url Of the connection. A browser reports it whole, or its scheme alone.
 */
export function forbids({ disposition, effectiveDirective, blockedURI }, url) {
  const { host, protocol } = new URL(url);
  const isMeant = blockedURI.startsWith(`${protocol}//${host}`) || `${blockedURI}:` === protocol;
  return disposition === 'enforce' && effectiveDirective === 'connect-src' && isMeant;
}

/**
 * Why the page may not connect, and what to do.
 * @param {string} url
 */
export function describeForbiddenConnection(url) {
  const { host, protocol } = new URL(url);
  return (
    `cannot connect to ${url}: the Content-Security-Policy of this page does not allow it; add ` +
    `${protocol}//${host} to its connect-src`
  );
}
