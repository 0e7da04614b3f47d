"""Training data: image folders and zips, labels, the rendered portraits, the pyramid cache."""
