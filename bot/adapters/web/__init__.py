"""The web chat's door: pages, a stream of inspected sentences, and who may come in."""
