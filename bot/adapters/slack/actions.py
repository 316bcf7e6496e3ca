"""Names of buttons, forms and commands, as they come back from Slack. One place, so that what is sent is what is heard."""

from __future__ import annotations

CITE = "signpost.cite"
CHOOSE = "signpost.choose"
WHY = "signpost.why"
PERSON = "signpost.person"
SHARE = "signpost.share"
FEEDBACK = "signpost.feedback"
LINK = "signpost.link"
LANGUAGE = "signpost.language"
FORGET = "signpost.forget"
HOME = "signpost.home"

FEEDBACK_FORM = "signpost.feedback_form"
SETTINGS_FORM = "signpost.settings_form"
SHORTCUT = "ask_signpost"
COMMAND = "/signpost"

EVENT = "signpost_answer"
"""Type of the metadata that every message of ours carries: ``row`` names the inbox row, ``part`` the part of its answer."""
