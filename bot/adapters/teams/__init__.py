"""The Microsoft Teams door: verify, translate in, render out, send within the platform's limits."""
