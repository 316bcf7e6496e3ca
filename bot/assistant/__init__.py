"""The retrieval-augmented answer: understand, search, decide, compose, verify."""
