"""Tenure's own verbs: each writes the objects that kubectl could write too, and shows what came of it."""
