"""Reads files into blocks: Markdown, plain text, HTML, PDF, DOCX, PPTX. ``read`` is the one door."""

from bot.knowledge.reading.files import read

__all__ = ["read"]
