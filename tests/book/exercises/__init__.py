"""Where each exercise of the book begins: copy a file, write what is missing, run its check."""
