"""Draws the demo's pictures: hills, a sea, a town at night, a pot, tiles, leaves, posters.

Each is a pure function of the scene's name, a label and a size. They are drawn twice as large and
reduced, which smooths the edges that Pillow draws.
"""

import colorsys
import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFont, ImageOps

Colour = tuple[int, int, int]
_Painter = Callable[[Image.Image, random.Random, str], Image.Image]

_PALETTES: tuple[tuple[Colour, ...], ...] = (
    ((255, 214, 165), (244, 140, 109), (155, 93, 120), (74, 63, 107), (36, 36, 66)),
    ((214, 236, 239), (143, 195, 201), (79, 143, 156), (41, 93, 110), (19, 52, 70)),
    ((253, 240, 213), (229, 190, 136), (188, 128, 86), (120, 80, 66), (66, 46, 48)),
    ((238, 244, 210), (180, 205, 147), (112, 158, 107), (63, 107, 84), (31, 65, 61)),
    ((250, 221, 225), (232, 160, 178), (184, 102, 140), (113, 67, 115), (58, 40, 77)),
)


def draw(scene: str, label: str, size: tuple[int, int]) -> Image.Image:
    """Draw a scene; each label gives another variation of it.

    What follows a colon in the name of a scene is the text on a poster.
    """
    name, _, words = scene.partition(":")
    rng = random.Random(f"{name} {label}")  # noqa: S311  # pictures, not secrets
    width, height = size
    canvas = Image.new("RGB", (width * 2, height * 2))
    return _SCENES[name](canvas, rng, words).reduce(2)


def gradient(size: tuple[int, int], hue: float) -> Image.Image:
    """A soft gradient from a light to a dark tone of one hue, 0 to 1."""
    return _blend(size, _tone(hue, 0.86, 0.45), _tone(hue + 0.08, 0.38, 0.55))


def _blend(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    ramp = Image.linear_gradient("L").resize((1, size[1])).resize(size)
    return ImageOps.colorize(ramp, top, bottom)


def _tone(hue: float, light: float, depth: float) -> Colour:
    red, green, blue = colorsys.hls_to_rgb(hue % 1, light, depth)
    return round(red * 255), round(green * 255), round(blue * 255)


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _disc(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, fill: Colour | str) -> None:
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def _ridge(
    width: int, base: float, swing: float, rng: random.Random, waves: int = 3
) -> list[tuple[float, float]]:
    """A line of hills from left to right: a few sine waves on top of each other."""
    shares = [
        (rng.uniform(0.6, 1.6) * (k + 1), rng.uniform(0, math.tau), 1 / (k + 1))
        for k in range(waves)
    ]
    step = max(width // 90, 1)
    return [
        (x, base + swing * sum(w * math.sin(f * math.tau * x / width + p) for f, p, w in shares))
        for x in range(0, width + step, step)
    ]


def _hills(canvas: Image.Image, rng: random.Random, _words: str) -> Image.Image:
    """Hills behind hills, under a low sun."""
    width, height = canvas.size
    tones = rng.choice(_PALETTES)
    image = _blend(canvas.size, tones[0], tones[1])
    pen = ImageDraw.Draw(image)
    _disc(
        pen, width * rng.uniform(0.25, 0.75), height * rng.uniform(0.22, 0.42),
        min(width, height) * 0.09, _mix(tones[0], (255, 255, 255), 0.7),
    )  # fmt: skip
    for layer in range(4):
        share = layer / 3
        fill = _mix(tones[1], tones[4], 0.25 + 0.75 * share)
        line = _ridge(width, height * (0.48 + 0.15 * layer), height * 0.045, rng)
        pen.polygon([*line, (width, height), (0, height)], fill=fill)
    return image


def _sea(canvas: Image.Image, rng: random.Random, _words: str) -> Image.Image:
    """Water up to a horizon, with the light of a sun on it."""
    width, height = canvas.size
    tones = rng.choice(_PALETTES)
    image = _blend(canvas.size, tones[0], tones[1])
    horizon = int(height * 0.52)
    image.paste(_blend((width, height - horizon), tones[2], tones[4]), (0, horizon))
    pen = ImageDraw.Draw(image)
    sun = width * rng.uniform(0.3, 0.7)
    light = _mix(tones[0], (255, 250, 230), 0.75)
    radius = min(width, height) * 0.11
    pen.pieslice(
        (sun - radius, horizon - radius, sun + radius, horizon + radius), 180, 360, fill=light
    )
    for k in range(26):
        y = horizon + (height - horizon) * (k / 26) ** 1.4 + 4
        half = radius * rng.uniform(0.25, 1.0) * (0.5 + k / 20)
        x = sun + rng.uniform(-0.4, 0.4) * radius
        thick = 2 + k // 5
        pen.rounded_rectangle(
            (x - half, y, x + half, y + thick), thick, fill=_mix(tones[2], light, 0.75 - k / 50)
        )
    hull = width * rng.uniform(0.1, 0.25)
    mast, deck = height * 0.2, width * 0.11
    pen.polygon(
        [(hull, horizon + 6), (hull + deck, horizon + 6), (hull + deck * 0.8, horizon + deck * 0.2),
         (hull + deck * 0.2, horizon + deck * 0.2)], fill=tones[4],
    )  # fmt: skip
    pen.polygon(
        [(hull + deck * 0.48, horizon - mast), (hull + deck * 0.48, horizon),
         (hull + deck * 0.95, horizon)], fill=_mix(tones[0], (255, 255, 255), 0.6),
    )  # fmt: skip
    return image


def _night(canvas: Image.Image, rng: random.Random, _words: str) -> Image.Image:
    """A town after dark, with a moon and lit windows."""
    width, height = canvas.size
    image = _blend(canvas.size, (13, 18, 48), (88, 62, 118))
    pen = ImageDraw.Draw(image)
    for _ in range(90):
        spot = rng.uniform(1, 3.2)
        _disc(pen, rng.uniform(0, width), rng.uniform(0, height * 0.6), spot, (222, 226, 255))
    moon, radius = (width * rng.uniform(0.6, 0.85), height * 0.2), min(width, height) * 0.08
    _disc(pen, *moon, radius, (252, 243, 207))
    for tone, tall in (((44, 38, 84), 0.5), ((24, 22, 54), 0.36)):
        x = -width * 0.02
        while x < width:
            wide = width * rng.uniform(0.07, 0.14)
            top = height * (1 - tall * rng.uniform(0.55, 1.0))
            pen.rectangle((x, top, x + wide, height), fill=tone)
            pane = wide / 7
            for column in range(3):
                for row in range(int((height - top) / (pane * 2.2))):
                    if rng.random() < 0.45:
                        left, upper = x + pane * (1 + 2 * column), top + pane * (1 + 2.2 * row)
                        glow = _mix((255, 202, 105), (255, 240, 190), rng.random())
                        pen.rectangle((left, upper, left + pane, upper + pane * 1.3), fill=glow)
            x += wide * 1.04
    return image


def _pot(canvas: Image.Image, rng: random.Random, _words: str) -> Image.Image:
    """One pot on a table, banded with glaze."""
    width, height = canvas.size
    tones = rng.choice(_PALETTES)
    image = _blend(canvas.size, _mix(tones[0], (255, 255, 255), 0.5), tones[0])
    pen = ImageDraw.Draw(image)
    table = height * 0.74
    pen.rectangle((0, table, width, height), fill=_mix(tones[1], tones[0], 0.4))
    glaze = list(rng.sample(tones[1:], 4))
    middle, foot, rim = width / 2, height * 0.84, height * rng.uniform(0.24, 0.34)
    belly = min(width, height) * rng.uniform(0.2, 0.27)
    neck = belly * rng.uniform(0.35, 0.8)
    bulge = rng.uniform(0.45, 0.7)
    pen.ellipse(
        (middle - belly * 1.3, foot - belly * 0.2, middle + belly * 1.5, foot + belly * 0.16),
        fill=_mix(tones[1], tones[4], 0.3),
    )
    bands = sorted(rng.uniform(0.12, 0.9) for _ in range(3))
    for y in range(int(rim), int(foot)):
        share = (y - rim) / (foot - rim)
        curve = math.sin(math.pi * share ** (1 + bulge)) ** 0.8 if share > 0 else 0.0
        half = neck * (1 - 0.25 * share) + (belly - neck) * curve
        band = sum(share > edge for edge in bands)
        pen.line((middle - half, y, middle + half, y), fill=glaze[band])
        shine = _mix(glaze[band], (255, 255, 255), 0.22)
        pen.line((middle - half * 0.7, y, middle - half * 0.45, y), fill=shine)
    pen.ellipse((middle - neck, rim - neck * 0.2, middle + neck, rim + neck * 0.2), fill=tones[4])
    return image


def _tiles(canvas: Image.Image, rng: random.Random, _words: str) -> Image.Image:
    """A wall of tiles with quarter circles, each turned at random."""
    width, height = canvas.size
    tones = rng.choice(_PALETTES)
    side = max(min(width, height) // rng.choice((4, 5, 6)), 8)
    image = Image.new("RGB", canvas.size, tones[0])
    pen = ImageDraw.Draw(image)
    for top in range(0, height, side):
        for left in range(0, width, side):
            ground, figure, spot = rng.sample(tones, 3)
            pen.rectangle((left, top, left + side, top + side), fill=ground)
            corner = rng.randrange(4)
            x, y = left + side * (corner % 2), top + side * (corner // 2)
            start = (0, 90, 270, 180)[corner]
            for share, fill in ((1.0, figure), (0.55, spot)):
                reach = side * share
                box = (x - reach, y - reach, x + reach, y + reach)
                pen.pieslice(box, start, start + 90, fill=fill)
    return image


def _leaves(canvas: Image.Image, rng: random.Random, _words: str) -> Image.Image:
    """A branch with leaves."""
    width, height = canvas.size
    tones = rng.choice(_PALETTES)
    image = _blend(canvas.size, _mix(tones[0], (255, 255, 255), 0.45), tones[0])
    pen = ImageDraw.Draw(image)
    lean = rng.uniform(-0.2, 0.2)
    stem = [
        (width * (0.5 + lean * math.sin(t * 2.2)), height * (0.95 - 0.85 * t))
        for t in (k / 40 for k in range(41))
    ]
    pen.line(stem, fill=tones[4], width=max(width // 90, 2), joint="curve")
    for k in range(3, 40, 3):
        x, y = stem[k]
        long = min(width, height) * (0.3 - 0.004 * k)
        for side in (-1, 1):
            angle = -math.pi / 2 + side * rng.uniform(0.75, 1.1)
            fill = _mix(tones[2], tones[3], rng.random())
            pen.polygon(_leaf(x, y, long, angle), fill=fill)
    return image


def _leaf(x: float, y: float, long: float, angle: float) -> list[tuple[float, float]]:
    outline = []
    for k in range(41):
        turn = math.tau * k / 40
        along, across = long * (1 - math.cos(turn)) / 2, long * 0.16 * math.sin(turn)
        outline.append(
            (
                x + along * math.cos(angle) - across * math.sin(angle),
                y + along * math.sin(angle) + across * math.cos(angle),
            )
        )
    return outline


def _poster(canvas: Image.Image, rng: random.Random, words: str) -> Image.Image:
    """Large words on a field of circles; a slash begins a new line."""
    width, height = canvas.size
    tones = rng.choice(_PALETTES)
    image = _blend(canvas.size, tones[3], tones[4])
    pen = ImageDraw.Draw(image)
    for _ in range(7):
        tone = _mix(rng.choice(tones[1:4]), tones[4], 0.35)
        _disc(
            pen, rng.uniform(0, width), rng.uniform(0, height),
            min(width, height) * rng.uniform(0.08, 0.3), tone,
        )  # fmt: skip
    text = words.replace("/", "\n")
    longest = max(map(len, text.split("\n")), default=1)
    font = ImageFont.load_default(min(width * 1.5 / max(longest, 1), height * 0.17))
    pen.multiline_text(
        (width / 2, height / 2), text, font=font, fill=tones[0], anchor="mm", align="center",
        spacing=height * 0.03,
    )  # fmt: skip
    return image


_SCENES: dict[str, _Painter] = {
    "hills": _hills,
    "sea": _sea,
    "night": _night,
    "pot": _pot,
    "tiles": _tiles,
    "leaves": _leaves,
    "poster": _poster,
}
SCENES = tuple(_SCENES)
