"""Draw what `archiver demo` prints on its second day as an SVG, for the README.

python docs/terminal_picture.py
"""

import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

PICTURE = Path(__file__).parent / "images" / "demo.svg"
_COLUMNS, _CHARACTER, _LINE, _MARGIN = 80, 8.4, 18, 16
_BOLD = ("Day ", "$ ")

_STYLE = """
<style>
  .frame { fill: #11151c; }
  text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #d7dce5;
         white-space: pre; }
  .bold { font-weight: 700; fill: #ffffff; }
  .dim { fill: #8b94a5; }
</style>
"""


def lines_of_day_two() -> list[str]:
    """What the demo says of its second day."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "archiver", "demo", "demo"],
            cwd=folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
    lines = done.stdout.splitlines()
    return lines[lines.index("Day 2") : lines.index("Day 3") - 1]


def picture(lines: list[str]) -> str:
    """The lines as a terminal window."""
    width = round(2 * _MARGIN + _COLUMNS * _CHARACTER)
    height = 2 * _MARGIN + len(lines) * _LINE
    rows = [
        f'<text class="{_class(line)}" x="{_MARGIN}" y="{_MARGIN + (k + 0.75) * _LINE:.0f}">'
        f"{escape(line)}</text>"
        for k, line in enumerate(lines)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="A terminal: the second backup of the demo">{_STYLE}'
        f'<rect class="frame" width="{width}" height="{height}" rx="8"/>\n'
        + "\n".join(rows)
        + "\n</svg>\n"
    )


def _class(line: str) -> str:
    if line.startswith(_BOLD):
        return "bold"
    return "dim" if line.startswith(("  ", "ACCOUNT", "FILES")) else "plain"


if __name__ == "__main__":
    PICTURE.write_text(picture(lines_of_day_two()), "utf-8")
