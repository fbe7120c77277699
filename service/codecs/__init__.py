"""Image files and arrays, read and written."""
