"""Draws the app's icons: a signpost with two boards. Run it after changing it; the pictures are kept beside it.

python deploy/teams/icons.py
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

HERE = Path(__file__).parent
ACCENT, WHITE, PALE = (15, 92, 92, 255), (255, 255, 255, 255), (203, 229, 226, 255)
FINER = 8
"""Drawn this much larger, then made smaller, for smooth edges."""

POST = (0.46, 0.14, 0.54, 0.90)
RIGHT = ((0.22, 0.22), (0.66, 0.22), (0.80, 0.325), (0.66, 0.43), (0.22, 0.43))
LEFT = ((0.78, 0.50), (0.34, 0.50), (0.20, 0.605), (0.34, 0.71), (0.78, 0.71))

Points = tuple[tuple[float, float], ...]


def _scaled(points: Points, size: int) -> list[tuple[float, float]]:
    return [(x * size, y * size) for x, y in points]


def color(size: int = 192) -> Image.Image:
    """The coloured icon: white boards on the accent colour, filling the square as Teams asks."""
    large = size * FINER
    picture = Image.new("RGBA", (large, large), ACCENT)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle([edge * large for edge in POST], radius=0.03 * large, fill=PALE)
    draw.polygon(_scaled(RIGHT, large), fill=WHITE)
    draw.polygon(_scaled(LEFT, large), fill=WHITE)
    for left, top, right in ((0.30, 0.31, 0.62), (0.40, 0.59, 0.70)):
        draw.rounded_rectangle(
            [left * large, top * large, right * large, (top + 0.03) * large], radius=0.015 * large, fill=ACCENT
        )
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def outline(size: int = 32) -> Image.Image:
    """The outline icon: white lines on nothing."""
    large = size * FINER
    picture = Image.new("RGBA", (large, large), (255, 255, 255, 0))
    draw = ImageDraw.Draw(picture)
    width = round(0.065 * large)
    draw.rectangle([edge * large for edge in (0.46, 0.06, 0.54, 0.95)], fill=WHITE)
    for board, lower in ((RIGHT, -0.05), (LEFT, 0.04)):
        corners = _scaled(tuple((x, y + lower) for x, y in board), large)
        draw.polygon(corners, fill=(255, 255, 255, 0))
        draw.line([*corners, corners[0], corners[1]], fill=WHITE, width=width, joint="curve")
    small = picture.resize((size, size), Image.Resampling.LANCZOS)
    # Every pixel is white and only its strength differs: the platform colours it.
    white = Image.new("RGBA", small.size, WHITE)
    white.putalpha(small.getchannel("A"))
    return white


def main() -> None:
    """Write both."""
    color().save(HERE / "color.png", optimize=True)
    outline().save(HERE / "outline.png", optimize=True)


if __name__ == "__main__":
    main()
