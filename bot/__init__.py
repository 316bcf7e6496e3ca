"""Signpost: answers about AI in schools from vetted guidance, with citations."""

__version__ = "0.1.0"
