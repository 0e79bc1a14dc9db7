"""The index of a site's search: which words stand in which posts, in pieces that a page can load.

A page that was opened from a disk may load nothing but scripts, so every piece is one: a call of
`archiverSearch` with plain JSON. `words-….js` has the words that begin with one or two letters and
the numbers of the posts that have them; `posts-….js` has what is shown of some posts. Chinese,
Japanese and other texts without spaces are cut into pairs of characters.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from operator import itemgetter

from archiver.archive.search import fold
from archiver.saved_posts import SavedPost

POSTS_IN_A_PIECE = 250
_MOST_WORDS = 5_000
"""Words of one first letter in a piece; more are split by their second letter."""
_SHOWN = 160  # characters of a post that a result shows
_LONGEST_WORD = 40
_WORD = re.compile(r"\w+")
# without spaces between words: Thai, Lao, Khmer, kana, Chinese characters
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]+)"
)
_TABLES = """
CREATE TABLE words (word TEXT, post INTEGER, PRIMARY KEY (word, post)) WITHOUT ROWID;
CREATE TABLE shown (post INTEGER PRIMARY KEY, line TEXT);
"""


class SearchIndex:
    """The index, in a database that is thrown away. Posts are numbered 0, 1, …, oldest first."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._connection.executescript(_TABLES)
        self._count = 0

    def add(self, post: SavedPost, page: str, account: int) -> None:
        """Add a post, which is on this page."""
        alt_texts = [one.alt_text or "" for one in post.attached]
        texts = [post.title or "", post.text or "", *alt_texts]
        shown = " ".join(" ".join(texts).split())[:_SHOWN]
        line = [page, post.id, account, (post.created_at or "")[:10], post.platform, shown]
        text = json.dumps(line, ensure_ascii=True, separators=(",", ":"))
        self._connection.execute("INSERT INTO shown VALUES (?, ?)", (self._count, text))
        self._connection.executemany(
            "INSERT OR IGNORE INTO words VALUES (?, ?)",
            ((word, self._count) for word in set(words_of(" ".join(texts)))),
        )
        self._count += 1

    def files(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        """The names of all pieces, and what is in each, in pieces."""
        keys = self._keys()
        yield "index.js", [_call("index", {"keys": keys, "posts": self._count,
                                           "piece": POSTS_IN_A_PIECE})]  # fmt: skip
        for key in keys:
            yield f"words-{_hex(key)}.js", self._words(key, keys)
        for start in range(0, self._count, POSTS_IN_A_PIECE):
            yield f"posts-{start // POSTS_IN_A_PIECE}.js", [self._posts(start)]

    def _keys(self) -> list[str]:
        """The beginnings of words that have a piece: one character, or two."""
        counts = self._connection.execute(
            "SELECT substr(word, 1, 1) AS first, count(DISTINCT word) FROM words GROUP BY first"
        ).fetchall()
        keys = []
        for first, count in counts:
            keys.append(first)
            if count > _MOST_WORDS:
                query = "SELECT DISTINCT substr(word, 1, 2) FROM words WHERE substr(word, 1, 1) = ?"
                two = self._connection.execute(query, (first,)).fetchall()
                keys += [key for (key,) in two if len(key) == 2]
        return sorted(keys)

    def _words(self, key: str, keys: list[str]) -> Iterator[bytes]:
        """The words that begin with `key`, but for those that a longer key has."""
        longer = {other for other in keys if len(other) > len(key) and other.startswith(key)}
        rows = self._connection.execute(
            "SELECT word, post FROM words WHERE word >= ? AND word < ? ORDER BY word, post",
            (key, key + "\U0010ffff"),
        )
        yield f"archiverSearch.words({_literal(key)},{{".encode()
        separator = ""
        for word, found in groupby(rows, itemgetter(0)):
            if word[:2] in longer:
                continue
            posts = [post for _, post in found]
            yield f"{separator}{_literal(word)}:{_literal(_gaps(posts))}".encode()
            separator = ",\n"
        yield b"});\n"

    def _posts(self, start: int) -> bytes:
        query = "SELECT line FROM shown WHERE post >= ? AND post < ? ORDER BY post"
        lines = self._connection.execute(query, (start, start + POSTS_IN_A_PIECE))
        text = ",\n".join(_for_script(line) for (line,) in lines)
        return f"archiverSearch.posts({start // POSTS_IN_A_PIECE},[{text}]);\n".encode()


def words_of(text: str) -> Iterator[str]:
    """The words by which a text is found, folded.

    >>> sorted(set(words_of("Die GRÖSSE, 日本語")))
    ['die', 'grosse', '日本', '本語', '語']
    """
    for word in _WORD.findall(fold(text)):
        for number, part in enumerate(_UNSPACED.split(word)):
            if number % 2:
                yield from (part[at : at + 2] for at in range(len(part)))
            elif part:
                yield part[:_LONGEST_WORD]


def _gaps(posts: list[int]) -> list[int]:
    """The first number, and from each the distance to the next: shorter to write."""
    return posts[:1] + [after - before for before, after in pairwise(posts)]


def _hex(key: str) -> str:
    return "-".join(f"{ord(one):x}" for one in key)


def _call(name: str, value: object) -> bytes:
    return f"archiverSearch.{name}({_literal(value)});\n".encode()


def _literal(value: object) -> str:
    return _for_script(json.dumps(value, ensure_ascii=True, separators=(",", ":")))


def _for_script(text: str) -> str:
    """JSON that ends no script element, wherever somebody puts it."""
    return text.replace("<", "\\u003c")
