"""Speed and quality beside stock pipelines and beside the limits of the machine: ``python -m tests.benchmarks``."""
