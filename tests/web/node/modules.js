/** The modules that a module loads. */

import { readdirSync, readFileSync } from 'node:fs';

/** Imports, re-exports, and files that are loaded by their address relative to the module. */
const REFERENCES = [
  /^(?:import|export)\b[^;]*?\bfrom '([^']+)';$/gm,
  /^import '([^']+)';$/gm,
  /new URL\('([^']+)', import\.meta\.url\)/g,
];

/**
 * @param {URL} module
 * @returns {string[]} The paths as they are written.
 */
function referencesOf(module) {
  const source = readFileSync(module, 'utf8');
  return REFERENCES.flatMap((pattern) => [...source.matchAll(pattern)].map(([, path]) => path));
}

/**
 * @param {URL} index
 * @returns {string[]} The addresses of all modules that it loads, directly or not, and its own.
 */
export function modulesReached(index) {
  const reached = new Set([index.href]);
  for (const module of reached) {
    for (const path of referencesOf(new URL(module))) reached.add(new URL(path, module).href);
  }
  return [...reached].sort();
}

/**
 * @param {URL} folder
 * @returns {string[]} The addresses of all modules in it.
 */
export function modulesIn(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.js'));
  return names.map((name) => new URL(name, folder).href).sort();
}
