"""Which images all packages accept."""

# Height and width in pixels: the least and the greatest.
MIN_SIDE = 8
MAX_SIDE = 256

# Pillow's mode for each number of channels.
CHANNEL_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
