/** Files for the person who uses the page. */

import { make } from './dom.js';

/** Milliseconds after which the browser no longer needs the address of a download. */
const URL_LIFETIME_MS = 10_000;

/**
 * Let the browser save a file.
 * @param {string} name
 * @param {string} content
 * @param {string} type Media type.
 */
export function download(name, content, type) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), URL_LIFETIME_MS);
}
