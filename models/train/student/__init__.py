"""The larger sibling of the bundled model: MiniLM, taught Chinese. `python models/train/student` makes it."""
