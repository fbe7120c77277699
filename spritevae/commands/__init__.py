"""The commands, one file each: their arguments, and what they do.

A command imports slow libraries inside its functions, so that ``spritevae --help`` answers at once.
"""

# The exit status of a command that SIGINT or SIGTERM has stopped, as shells report SIGINT.
INTERRUPTED = 130
