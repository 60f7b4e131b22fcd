"""This machine and its site: registered at the start, its capacity a commit like any other."""
