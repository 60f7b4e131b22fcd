"""One file a family of kinds. The kinds themselves are exported by `tenure.resources`."""
