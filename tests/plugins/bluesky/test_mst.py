"""Trees: one set of records has one tree, and anything else is refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver_bluesky.baddata import BadData
from archiver_bluesky.cid import Cid, cid_of_block
from archiver_bluesky.dag_cbor import decode, encode
from archiver_bluesky.mst import entries_of, layer_of, walk
from support.bluesky.trees import Blocks, add_block, build_tree

KEYS = st.sets(
    st.tuples(st.sampled_from(["a.b", "a.b.c", "z"]), st.text("234abc~._-", min_size=1, max_size=6))
).map(lambda found: sorted(f"{collection}/{rkey}" for collection, rkey in found))

# of the specification: https://atproto.com/specs/repository#mst-structure
LAYERS = {
    b"2653ae71": 0, b"blue": 1, b"app.bsky.feed.post/454397e440ec": 4,
    b"app.bsky.feed.post/9adeb165882c": 8,
}  # fmt: skip
MANY = [f"app.bsky.feed.post/{number:05d}" for number in range(300)]


def tree_of(keys: list[str]) -> tuple[Cid, Blocks]:
    blocks: Blocks = {}
    return build_tree({key: cid_of_block(encode(key)) for key in keys}, blocks), blocks


def listed(root: Cid, blocks: Blocks) -> list[str]:
    return [entry.key for entry in walk(root, blocks.get)]


@pytest.mark.parametrize("key", LAYERS)
def test_layers_of_the_specification(key: bytes) -> None:
    assert layer_of(key) == LAYERS[key]


@settings(max_examples=50)
@given(KEYS)
def test_a_walk_gives_every_record_in_order(keys: list[str]) -> None:
    root, blocks = tree_of(keys)
    entries = list(walk(root, blocks.get))
    assert [entry.key for entry in entries] == keys
    assert [entry.cid for entry in entries] == [cid_of_block(encode(key)) for key in keys]
    assert dict(entries_of(root, blocks.get, set())) == {e.key: e.cid for e in entries}


def test_the_path_of_a_record_is_all_that_proves_it() -> None:
    root, blocks = tree_of(MANY)
    for entry in walk(root, blocks.get):
        path = {cid: blocks[cid] for cid in entry.path}
        assert (entry.key, entry.cid) in list(entries_of(root, path.get, set()))
        assert len(path) < 12


def test_a_missing_node_is_an_error_wherever_it_is() -> None:
    root, blocks = tree_of(MANY)
    for cid in blocks:
        rest = {other: block for other, block in blocks.items() if other != cid}
        with pytest.raises(BadData, match="A node of the tree is missing") as caught:
            listed(root, rest)
        assert caught.value.code == "incomplete"


def changed(change: Any) -> tuple[Cid, Blocks]:
    """A tree whose root is another than it should be."""
    _, blocks = tree_of(MANY)
    nodes = [decode(block) for block in blocks.values()]
    node = next(node for node in nodes if len(node["e"]) > 1 and node["l"] is not None)
    change(node, blocks)
    return add_block(blocks, node), blocks


def sibling(node: Any, blocks: Blocks) -> None:
    """The first subtree stands in two places."""
    node["e"][-1]["t"] = node["l"]


def shorter(node: Any, blocks: Blocks) -> None:
    """A record is left out of a node, with its subtree kept."""
    del node["e"][0]


def deeper(node: Any, blocks: Blocks) -> None:
    """The root stands below a node without keys."""
    inner = add_block(blocks, dict(node))
    node.update({"l": inner, "e": []})


def lower(node: Any, blocks: Blocks) -> None:
    """A subtree stands a layer too low."""
    node["l"] = add_block(blocks, {"l": node["l"], "e": []})


def stranger(node: Any, blocks: Blocks) -> None:
    """A key of another layer is among those of this one."""
    last = node["e"][-1]
    node["e"].append({"p": 0, "k": b"z/zzz", "v": last["v"], "t": None})


def longer(node: Any, blocks: Blocks) -> None:
    """A key is written in full although it could share its beginning."""
    first = node["e"][0]["k"]
    entry = node["e"][1]
    entry.update({"k": first[: entry["p"]] + entry["k"], "p": 0})


def empty(node: Any, blocks: Blocks) -> None:
    """There is a node without anything."""
    node["l"] = add_block(blocks, {"l": None, "e": []})


def field(name: str, value: Any) -> Any:
    def change(node: Any, blocks: Blocks) -> None:
        node["e"][0][name] = value

    return change


def more(node: Any, blocks: Blocks) -> None:
    """A node has a field that nodes do not have."""
    node["x"] = None


@pytest.mark.parametrize(
    "change",
    [sibling, shorter, deeper, lower, stranger, longer, empty, more,
     field("p", 99), field("p", True), field("k", "text"), field("k", b"no slash"),
     field("k", b"a/\xff"), field("v", None), field("t", b"x")],
)  # fmt: skip
def test_a_tree_in_any_other_form_is_refused(change: Any) -> None:
    root, blocks = changed(change)
    with pytest.raises(BadData):
        listed(root, blocks)


def test_a_block_that_is_no_node_is_refused() -> None:
    values: tuple[Any, ...] = (
        None, [], {"l": None}, {"l": "x", "e": []}, {"l": None, "e": {}}, {"l": None, "e": [5]},
    )  # fmt: skip
    for value in values:
        blocks: Blocks = {}
        root = add_block(blocks, value)
        with pytest.raises(BadData):
            listed(root, blocks)
