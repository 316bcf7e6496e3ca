"""The doors: each platform's events in, its rendering out."""
