/** Files that a person drops onto the page. */

/**
 * @param {() => boolean} isBusy Whether a run is under way; then no file is accepted.
 * @param {(files: FileList) => void} onFiles
 */
export function acceptDroppedFiles(isBusy, onFiles) {
  const { body } = document;
  body.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return; // text, which fields accept by themselves
    event.preventDefault();
    body.classList.toggle('dropping', !isBusy());
  });
  body.addEventListener('dragleave', () => body.classList.remove('dropping'));
  body.addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    body.classList.remove('dropping');
    const files = event.dataTransfer?.files;
    if (files?.length && !isBusy()) onFiles(files);
  });
}

/** @param {DragEvent} event */
const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes('Files') ?? false;
