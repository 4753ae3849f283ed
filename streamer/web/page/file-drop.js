/** Files that a person drops onto the page. */

/**
 * @param {() => boolean} isBusy Whether a run is under way; then no file is accepted.
 * @param {(files: FileList) => void} onFiles
 */
export function acceptDroppedFiles(isBusy, onFiles) {
  const { body } = document;
  body.addEventListener('dragover', (event) => {
    event.preventDefault();
    body.classList.toggle('dropping', !isBusy());
  });
  body.addEventListener('dragleave', () => body.classList.remove('dropping'));
  body.addEventListener('drop', (event) => {
    event.preventDefault();
    body.classList.remove('dropping');
    const files = event.dataTransfer?.files;
    if (files?.length && !isBusy()) onFiles(files);
  });
}
