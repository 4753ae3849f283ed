"""Where speech is: detectors and the segmenter."""
