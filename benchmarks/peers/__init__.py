"""Other ways to serve the same pair, a file each. They import nothing of this project but ``benchmarks.peers``."""
