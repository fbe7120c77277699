"""The face of spritevae: the command, and ``load`` for a run or a bundle in Python."""
