"""The Slack door: events in, blocks out. ``app`` receives, ``render`` and ``views`` are pure, ``send`` posts."""
