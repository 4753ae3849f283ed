/** The buttons that copy the transcript, or save it as a file. */

import { copyOnClick } from './clipboard.js';
import { download } from './download.js';
import { FORMATS } from './exports.js';

/** @import { Report } from './exports.js' */
/** @import { Run } from './run.js' */

/** @param {() => Run | null} getRun */
export function connectExportButtons(getRun) {
  for (const [format, { type, write }] of Object.entries(FORMATS)) {
    const button = document.querySelector(`[data-export="${format}"]`);
    button?.addEventListener('click', () => {
      const run = getRun();
      if (run) download(`transcript.${format}`, write(reportOf(run)), type);
    });
  }
  copyOnClick('copy', () => {
    const run = getRun();
    return run ? FORMATS.txt.write(reportOf(run)) : '';
  });
}

/** @param {boolean} isEnabled */
export function enableExportButtons(isEnabled) {
  for (const button of document.querySelectorAll('.exports button')) {
    /** @type {HTMLButtonElement} */ (button).disabled = !isEnabled;
  }
}

/**
 * @param {Run} run
 * @returns {Report}
 */
function reportOf({ transcript, recording, model, traceIds }) {
  const { finals, gaps } = transcript;
  return { finals, gaps, channels: recording.channels, model, traceIds };
}
