"""Which of the five languages a message is in. Called by the screening to choose texts."""

from __future__ import annotations

import re

from bot.guardrails.views import unaccented

_SIGNS = {
    "es": "el la los las un una de del que en es y por para con se mi su como puedo puede pueden debe esta hay "
    "qué cómo cuál alumno "
    "alumna estudiante niño niña escuela hola gracias dice dijo me le quiero ser más sobre si no",
    "fr": "le la les un une des du de que qui est et pour avec se mon ma son sa comment puis peut dois eleve eleves "
    "ecole classe bonjour "
    "merci dit je il elle dans au aux pas plus sur ce cette ne l d qu quelle quel",
    "en": "the a an of that in is and for with my our how can should what do does student students i he she they "
    "to we it are on if "
    "me you your this hi hello thanks about not who",
}
_SETS = {language: frozenset(unaccented(words).split()) for language, words in _SIGNS.items()}


def language_of(text: str, hint: str | None = None) -> str:
    """'en', 'es', 'fr', 'zh' or 'ar'. ``hint`` decides when the text does not."""
    arabic = len(re.findall("[\u0600-\u06ff]", text))
    chinese = len(re.findall("[\u4e00-\u9fff]", text))
    latin = len(re.findall("[A-Za-z]", text))
    if arabic * 2 > latin and arabic > chinese:
        return "ar"
    if chinese * 3 > latin:
        return "zh"
    tokens = re.findall(r"[a-z]+", unaccented(text))
    counts = {language: sum(token in words for token in tokens) for language, words in _SETS.items()}
    counts["es"] += 2 * len(re.findall("[¿¡ñ]", text.lower()))
    counts["fr"] += 2 * len(re.findall("[çœèêà]", text.lower())) + len(
        re.findall(r"\b(?:l|d|qu|j|n|c|m|s|t)['’]\w", text.lower())
    )
    best = max(counts, key=lambda language: counts[language])
    if counts[best] == 0 or list(counts.values()).count(counts[best]) > 1:
        known = hint if hint in ("en", "es", "fr", "zh", "ar") else "en"
        return known if counts[best] == 0 or counts.get(known, 0) == counts[best] else best
    return best
