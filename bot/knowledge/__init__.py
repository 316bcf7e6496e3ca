"""The library: read a file, split it into passages, vet it, publish a generation, index it, search it."""
