/**
 * Writes the TypeScript declarations of the client: `node declarations.js [FILE]`.
 *
 * The compiler generates one declaration file for each module. This script joins those of the
 * modules that the index exports. One file is enough for the users of the client, and a declaration
 * file beside each module would hide the module from the compiler.
 */

import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** @param {string} path Relative to this folder. */
const locate = (path) => fileURLToPath(new URL(path, import.meta.url));

const CONFIG = locate('tsconfig.types.json');
const DECLARATIONS = 'streamer-client.d.ts';
const DEFAULT_OUTPUT = locate(`../../streamer/web/streamer-client/${DECLARATIONS}`);

const HEAD = '/** Declarations of the client. `make web-types` writes this file. */\n\n';

/** @returns {Map<string, ts.SourceFile>} By name: a declaration file for each module. */
function compile() {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail };
  const config = ts.getParsedCommandLineOfConfigFile(CONFIG, undefined, host);
  const program = ts.createProgram(config.fileNames, config.options);
  const files = new Map();
  const { diagnostics } = program.emit(undefined, (path, text) => {
    const name = basename(path);
    files.set(name, ts.createSourceFile(name, text, ts.ScriptTarget.Latest));
  });
  [...ts.getPreEmitDiagnostics(program), ...diagnostics].forEach(fail);
  return files;
}

/** @param {ts.Diagnostic} diagnostic */
function fail(diagnostic) {
  throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
}

/**
 * @param {ts.SourceFile} file
 * @returns {string} Its declarations, without imports from other modules.
 */
function declarationsOf(file) {
  return file.statements
    .filter((statement) => !ts.isImportDeclaration(statement))
    .map((statement) => file.text.slice(commentStart(file, statement), statement.end))
    .join('\n');
}

/**
 * @param {ts.SourceFile} file
 * @param {ts.Statement} statement
 * @returns {number} Where the comment of a statement begins, or the statement itself without one.
 */
function commentStart(file, statement) {
  const comments = ts.getLeadingCommentRanges(file.text, statement.pos);
  return comments?.at(-1)?.pos ?? statement.getStart(file);
}

const files = compile();
const index = files.get(DECLARATIONS);
const exported = index.statements.map(({ moduleSpecifier }) => basename(moduleSpecifier.text, '.js'));
const parts = exported.map((name) => declarationsOf(files.get(`${name}.d.ts`)));
writeFileSync(process.argv[2] ?? DEFAULT_OUTPUT, `${HEAD}${parts.join('\n')}\n`);
