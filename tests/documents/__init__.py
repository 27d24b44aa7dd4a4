"""The documents, held against what the code does."""
