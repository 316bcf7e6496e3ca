"""The readiness check: the instrument, its exact scoring, the conversation, results, groups and trends."""
