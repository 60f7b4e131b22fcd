"""Each demand of the vision: its state, and for a proven one the test that runs its command and its failing twin."""
