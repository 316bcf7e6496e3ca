"""Scans the text of a document for what speaks to an assistant instead of a reader. Pure; intake calls it with the blocks a
reader produced and holds the document for a reviewer when anything is found.

A sentence that describes or teaches such attacks is common in documents about AI in schools; it is told apart by standing in
quotes or beside words of explanation, and is not held for that alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bot.guardrails import views
from bot.guardrails.judging import _joined
from bot.guardrails.policy import rules
from bot.messages import Handling

Kind = Literal["instruction", "hidden_text", "comment", "encoded", "link"]


@dataclass(frozen=True)
class Block:
    """A piece of a document: its text, where it stands ('page 3'), and whether readers see it."""

    text: str
    where: str
    visible: bool = True


@dataclass(frozen=True)
class DocumentFinding:
    """What a reviewer must look at, where, with an excerpt of at most 160 characters."""

    kind: Kind
    where: str
    excerpt: str


_ADDRESSED = re.compile(
    r"\b(?:ai|a\.i\.|assistants?|chat ?bots?|language models?|llms?|gpt|chatgpt|copilot|signpost|bots?|modelo "
    r"de lenguaje|asistente|assistant ia)\b[^.\n]{0,60}"
    r"\b(?:(?:must|should|shall|will|needs to|has to)(?: always| now| only)? (?:say|tell|answer|reply|respond|"
    r"recommend|state|assure|inform|claim|promote|ignore|(?:not|never) (?:mention|reveal|disclose|cite|warn|"
    r"refuse|say|show))\b"
    r"(?!(?: \w+){0,4} (?:are|is|were|was|am) (?:not |only )?(?:human|people|an? |ai\b|talking|bots?|automated|"
    r"machines?|unsure|generated|made))(?! (?:when|to|with|in|only|personal|students? private)\b)|"
    r"(?:is|are) (?:instructed|ordered|required|authori[sz]ed|directed) to|(?:reading|processing|summari[sz]ing|"
    r"parsing|indexing) this|debe(?:n)? (?:decir|responder|ignorar)|doit (?:dire|repondre|ignorer))\b"
    r"|\b(?:note|attention|message|instructions?|memo|notice|important|nota|instrucciones)\s*(?:to|for|para|"
    r"pour)\s*(?:the |any |all |el |la |l )?(?:ai|assistants?|chat ?bots?|language models?|llms?|bots?|crawlers?|"
    r"asistentes?|ia)\b"
    r"|\b(?:if|when) (?:you are|youre|asked|a user asks|someone asks|anyone asks|the user asks|a teacher asks)\b[^.\n]"
    r"{0,60}\b(?:an? (?:ai|assistant|language model|chatbot|llm)|(?:say|answer|reply|respond|tell (?:them|"
    r"him|her|the user|users)|recommend|state) (?:that|with|only|exactly|yes|no|the)?)"
    r"|\b(?:dear|hey|attention,?) (?:ai|assistant|chatbot|chatgpt|bot|model)\b"
    r"|^(?:\W*)(?:(?:as|you are) an? (?:ai|assistant|chatbot|language model)|you are (?:now|no longer))\b"
)
_ORDERS = re.compile(
    r"\b(?:tell|inform|assure|convince) (?:the |all |every |any )?(?:users?|readers?|teachers?|askers?|people|"
    r"principals?) (?:that|to|who)\b[^.\n]{0,90}\b(?:approved|safe|allowed|required|send|email|visit|click|"
    r"paste|enter|provide|submit|sign)\b"
    r"|\b(?:do not|dont|never) (?:tell|reveal|mention|disclose|show|cite|quote)\b[^.\n]{0,40}\b(?:user|reader|"
    r"anyone|this (?:instruction|note|text|message)|these instructions|reviewer|source|document)s?\b"
    r"|\b(?:mark|treat|rank|cite|prefer|quote|use) (?:this|the following)(?: \w+){0,3} (?:as|above|over|before|"
    r"instead)\b[^.\n]{0,40}\b(?:verified|official|authoritative|highest|only|trusted|all other|every other|"
    r"other)\b"
    r"|\b(?:always|only) (?:recommend|cite|answer|reply|respond|say|suggest|promote|link)\b[^.\n]{0,60}\b(?:to|"
    r"that|with|when|this|our|https?)\b(?=[^.\n]*\b(?:user|question|asked|asks|answers?|repl(?:y|ies)|every|"
    r"prompt|assistant|query)\b)"
    r"|\b(?:append|insert|include|add|embed|output|render|display) (?:this|the following|a|an|the)(?: \w+){0,3} "
    r"(?:link|image|url|markdown|text|sentence|phrase|code|pixel)\b[^.\n]{0,60}\b(?:answers?|repl(?:y|ies)|"
    r"responses?|outputs?|every|each|end)\b"
    r"|\b(?:send|post|forward|exfiltrate|transmit|leak)\b[^.\n]{0,50}\b(?:conversation|chat history|user data|"
    r"questions?|prompt|messages?|previous answers?)\b[^.\n]{0,30}\bto\b"
    r"|\b(?:approve|publish|verify) this (?:document|file|page|version)\b[^.\n]{0,40}\b(?:automatically|without "
    r"review|immediately|now)\b"
    r"|\b(?:end of (?:document|context|file|passage)|begin new (?:task|session)|new (?:task|instructions?) (?:for|to|:))"
)
_TEACHING = re.compile(
    r"\b(?:prompt injection|jailbreak\w*|attack\w*|for example|e g|such as|red team\w*|tr(?:y|ies|ied) to|"
    r"attempts?|malicious|trick\w*|students? (?:may|might|could|should|learn|try|type|who)|vendors?|products? "
    r"(?:must|should)|guard(?:s|rails?)? against|protect\w*|"
    r"lesson|classroom activity|resist\w*|detect\w*|refus\w*|adversarial|manipulat\w*|exploit\w*|vulnerab\w*)\b"
)
_QUOTED = re.compile(r"[\"“”«»].{8,}[\"“”«»]|'.{12,}'")
_LINK_TRICK = re.compile(r"!\[[^\]]*\]\(\s*(?:https?:)?//[^)]*[?&][^)]*\)|\b(?:javascript|data):[^\s]{8,}", re.IGNORECASE)
MOST = 50
"""Findings shown of one document; a reviewer needs no more to hold it."""


def _commands(fold: str) -> re.Match[str] | None:
    for rule in rules().values():
        if rule.handling is Handling.INJECTION and rule.id != "injection.authority":
            match = _joined(rule.certain).search(fold)
            if match:
                return match
    return _ADDRESSED.search(fold) or _ORDERS.search(fold)


def _excerpt(text: str, match: re.Match[str] | None) -> str:
    flat = re.sub(r"\s+", " ", views.clean(text)).strip()
    start = max(0, match.start() - 40) if match and match.end() <= len(flat) else 0
    return flat[start : start + 160]


def _taught(sentence: str, fold: str) -> bool:
    """Whether the sentence speaks about such a command rather than giving one."""
    return bool(_TEACHING.search(fold)) and (
        bool(_QUOTED.search(sentence)) or not re.match(r"\W*(?:ignore|disregard|forget|you are|system)", fold)
    )


def _sentences(text: str) -> list[str]:
    return [piece for piece in re.split(r"(?<=[.!?。！？])\s+|\n+", text) if piece.strip()]


def scan(blocks: Iterable[Block]) -> tuple[DocumentFinding, ...]:
    """Everything a reviewer must look at, in the document's order. An invisible block is held for any command and for any
    sentence longer than a label; a visible one for commands that it does not merely describe."""
    found: list[DocumentFinding] = []
    for block in blocks:
        found += _in_block(block)
        if len(found) >= MOST:
            break
    return tuple(found[:MOST])


def _in_block(block: Block) -> list[DocumentFinding]:
    found: list[DocumentFinding] = []
    for name, view in views.disguised(block.text):
        if name == "invisible":
            found.append(DocumentFinding("hidden_text", block.where, f"invisible characters that spell: {view[:100]}"))
        elif name in ("base64", "hex", "rot13", "reversed", "spaced") and _commands(views.folded(view)):
            found.append(DocumentFinding("encoded", block.where, _excerpt(view, None)))
    if re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]{3,}|[\u202d\u202e]", block.text):
        found.append(DocumentFinding("hidden_text", block.where, "a run of invisible characters"))
    if _LINK_TRICK.search(block.text):
        found.append(DocumentFinding("link", block.where, _excerpt(block.text, None)))
    clean = views.clean(block.text)
    for sentence in [clean] if not block.visible else _sentences(clean):
        fold = views.folded(sentence)
        match = _commands(fold) or (_commands(views.folded(re.sub(r"[*_~`|>#]+", "", sentence))))
        if match and (not block.visible or not _taught(sentence, fold)):
            found.append(DocumentFinding("instruction", block.where, _excerpt(sentence, match)))
            break
    if not block.visible and not found and len(clean.split()) >= 6:
        found.append(DocumentFinding("hidden_text", block.where, _excerpt(clean, None)))
    return found
