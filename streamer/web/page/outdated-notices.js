/** Ends notices when the browser reports that what they say is over. */

import { find } from './dom.js';
import { endNotices } from './notices.js';

/** Watch the microphone, its permission, and the choice of a file. */
export function endOutdatedNotices() {
  navigator.mediaDevices?.addEventListener('devicechange', () => {
    endNotices('microphone_absent', 'microphone_unplugged', 'microphone_busy');
  });
  void watchPermission();
  find('settings', HTMLFormElement).addEventListener('change', () => {
    endNotices('no_file', 'bad_file');
  });
}

async function watchPermission() {
  try {
    const name = /** @type {PermissionName} */ ('microphone');
    const permission = await navigator.permissions.query({ name });
    permission.addEventListener('change', () => {
      if (permission.state !== 'denied') endNotices('microphone_refused');
    });
  } catch {
    // This browser does not say; the next start ends the notice.
  }
}
