"""What servers write in HTML is text again, with its links in full."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver_mastodon.html_text import PlainText, plain_text
from support.mastodon.writing import as_html

WORD = st.one_of(
    st.text(
        st.characters(codec="utf-8", categories=["L", "N", "P", "S"], exclude_characters="@#"),
        min_size=1, max_size=12,
    ),
    st.sampled_from(
        [
            "https://www.example.org/a/very/long/path/indeed?with=this&and=that",
            "http://example.net/", "#Köln", "@bob@other.example", "<b>", "&amp;", "1<2",
        ]
    ),
)  # fmt: skip
LINE = st.lists(WORD, min_size=1, max_size=6).map(" ".join)
TEXT = st.lists(
    st.lists(LINE, min_size=1, max_size=3).map("\n".join), min_size=0, max_size=3
).map("\n\n".join)  # fmt: skip


@given(TEXT)
def test_what_was_written_comes_back(text: str) -> None:
    assert plain_text(as_html(text)).text == text


@given(st.text(alphabet="<>/!-a b=\"'&#;pliquote\n", max_size=200))
def test_any_text_is_read_as_html(text: str) -> None:
    found = plain_text(text)
    assert isinstance(found.text, str)
    assert found.text == found.text.strip()


@settings(max_examples=20)
@given(st.text(alphabet=st.characters(codec=None), max_size=60))
def test_the_text_can_be_stored(text: str) -> None:
    plain_text(text).text.encode()


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>three<br/><br />four</p>", "One\n\nTwo\nthree\n\nfour"),
        ("<ul><li>a</li><li><p>b</p></li></ul>", "• a\n• b"),
        ("<ol><li>a</li><li>b<ul><li>c</li></ul></li></ol>", "1. a\n2. b\n• c"),
        ("<blockquote><p>a<br>b</p></blockquote><p>c</p>", "> a\n> b\n\nc"),
        ("<pre><code>a  =  1\n  b</code></pre>", "a  =  1\n  b"),
        ("a\n  b\t c", "a b c"),
        ("<b>bo</b>ld <i>and</i>\n<em>more</em>", "bold and more"),
        ("a<script>alert(1)</script>b<style>p {}</style>c<!-- d -->e", "abce"),
        ('<img alt=":cat:" src="x"> hello', ":cat: hello"),
        ("1 < 2 &lt;b&gt; &nbsp;&amp;", "1 < 2 <b> \xa0&"),
        ("&#99999999999999999999999; &#x110000;", "� �"),
        ("<p>never closed <a href='https://example.org/x'>link", "never closed link (https://example.org/x)"),
        ("", ""),
    ],
)  # fmt: skip
def test_blocks_are_lines(html: str, text: str) -> None:
    assert plain_text(html).text == text


@pytest.mark.parametrize(
    ("html", "found"),
    [
        (
            '<a href="https://example.org/x">here</a>.',
            PlainText("here (https://example.org/x).", ("https://example.org/x",)),
        ),
        (
            '<a href="https://www.example.org/x/">example.org/x</a>',
            PlainText("https://www.example.org/x/", ("https://www.example.org/x/",)),
        ),
        (
            '<a href="https://example.org/long/path">example.org/lo…</a>',
            PlainText("https://example.org/long/path", ("https://example.org/long/path",)),
        ),
        ('<a href="gemini://example.org/">capsule</a>', PlainText("capsule (gemini://example.org/)")),
        ('<a href="javascript:alert(1)">here</a>', PlainText("here")),
        ('<a href="https://x.example/@bob" class="u-url mention">@bob</a>', PlainText("@bob")),
        ('<a href="https://x.example/tags/a" rel="tag">#a</a>', PlainText("#a")),
        ('<a href="https://x.example/"></a>b', PlainText("b")),
    ],
)  # fmt: skip
def test_a_link_says_where_it_leads(html: str, found: PlainText) -> None:
    assert plain_text(html) == found


def test_what_stands_in_for_a_quotation_is_left_out_where_the_quotation_is_known() -> None:
    html = '<p class="quote-inline">RE: <a href="https://x.example/1">x.example/1</a></p><p>Yes</p>'
    assert plain_text(html).text == "RE: https://x.example/1\n\nYes"
    assert plain_text(html, quote_is_known=True).text == "Yes"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("piece", ["<a ", "<!", "<!--", "</", "<a href='", "&#", "<a>", "<a x="])
def test_no_text_takes_long_to_read(piece: str) -> None:
    """Python's own parser takes a minute for 60 kB of the first of these, and so on squared."""
    assert isinstance(plain_text(piece * 60_000).text, str)


def test_what_is_longer_than_any_post_is_kept() -> None:
    text = plain_text("<p>" + "a" * 1_000_000 + "<b>end")
    assert text.text.endswith("<b>end")
