"""An answer to each exercise of the book."""
