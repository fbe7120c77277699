"""What went wrong with a file, and what to do about it, in one line."""

from __future__ import annotations

import errno

# What to do where nothing can be written.
REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space, or have your quota raised",
    errno.EFBIG: "raise the limit of a file's size (ulimit -f)",
    errno.EROFS: "make it writable",
}


def explain(error: OSError, purpose: str = "") -> str:
    """The error and its file, and a remedy if there is one; ``purpose`` says what the same command then does."""
    if error.errno is None or (error.filename is None and error.errno not in REMEDIES):
        return str(error)
    what = f"{error.strerror}: {error.filename or 'the output of the command'}"
    if error.errno not in REMEDIES:
        return what
    return f"{what}; {REMEDIES[error.errno]}, then run the same command again{purpose}"
