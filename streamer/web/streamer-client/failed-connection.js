/** Why there may be no connection. A browser does not say which reason it was. */

/** Names and addresses of this machine. */
const LOOPBACK = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/;

/** Of the endpoints, below any path of a proxy. */
const STREAM_PATH = /\/api\/v1\/(segmented|simple)$/;

/**
 * @param {string} url Of the endpoint.
 * @param {string | undefined} [pageOrigin] Undefined outside of a page.
 * @returns {string} For people.
 */
export function describeFailedConnection(url, pageOrigin = globalThis.document?.location?.origin) {
  const { pathname } = new URL(url);
  const failure = `there is no connection to ${url}`;
  const reasons = ['the server does not run'];
  if (url.startsWith('wss:')) reasons.push('it does not use TLS (then its address begins with ws://)');
  if (!STREAM_PATH.test(pathname) || pathname.includes('//')) {
    reasons.push('there is no stream at this path (use /api/v1/segmented or /api/v1/simple)');
  }
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
      "it is not Streamer, because this address is the page's own server: to use another one, give its " +
      'whole address, such as ws://127.0.0.1:8080/api/v1/segmented'
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
