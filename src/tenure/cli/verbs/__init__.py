"""kubectl's verbs, one a file: each reads its options, asks the door, prints. Promises kubectl's words and outcomes."""
