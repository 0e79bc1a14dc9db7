"""Which account answers, and what is said about it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.secrets import Secret
from support.nights import Nights, nights
from support.serve.serving import Asking, configured_account, served

pytestmark = pytest.mark.slow

SHOP_KEY = "the-key-of-the-shop"


@pytest.fixture(scope="module")
def two_profiles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    folder = tmp_path_factory.mktemp("profiles")
    with nights(folder, "instagram", "youtube") as world:
        shop = world.add_profile(SHOP_KEY, "The shop")
        key_file = folder / "shop-key"
        key_file.write_text(SHOP_KEY)
        key_file.chmod(0o600)
        for platform in ("instagram", "threads"):
            shop.account(platform).populate(2, media=False)
            world.extra += (
                f'\n[[accounts]]\nname = "shop {platform}"\nplatform = "{platform}"\n'
                'profile_key = "file:shop-key"\n'
            )
        world.account("instagram").populate(2, media=False)
        world.account("youtube").populate(1, media=False)
        world.backup()
        yield world


@pytest.fixture
def asking(two_profiles: Nights) -> Iterator[Asking]:
    key = Secret("file:shop-key", base=two_profiles.folder)
    configured = (
        configured_account("instagram", "instagram"),
        configured_account("shop instagram", "instagram", key),
        configured_account("shop threads", "threads", key),
        configured_account("not yet", "youtube"),
    )
    with served(two_profiles.directory, configured) as asking:
        yield asking


def ids(world: Nights, name: str) -> list[str]:
    return world.column(
        "SELECT posts.platform_id FROM posts JOIN accounts ON accounts.id = account_id "
        "WHERE name = ? ORDER BY created_at DESC", name,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("profile_key", "platform", "name"),
    [
        (None, "instagram", "instagram"),
        ("", "instagram", "instagram"),
        (None, "threads", "shop threads"),
        (None, "youtube", "youtube"),  # in the archive, and no more in the config
        ("shop instagram", "instagram", "shop instagram"),
        (SHOP_KEY, "instagram", "shop instagram"),
        (SHOP_KEY, "threads", "shop threads"),
        ("youtube", "youtube", "youtube"),
    ],
)
def test_a_profile_key_is_a_label_or_a_profile_key_of_the_config(
    asking: Asking, two_profiles: Nights, profile_key: str | None, platform: str, name: str
) -> None:
    expected = ids(two_profiles, name)
    assert expected
    assert asking.ids(platform, profile_key=profile_key) == expected


@pytest.mark.parametrize(
    ("profile_key", "platform", "status", "code"),
    [
        ("nobody", "instagram", 403, 403),
        ("shop threads", "instagram", 400, 156),
        (SHOP_KEY, "youtube", 400, 156),
        ("not yet", "youtube", 400, 156),
        (None, "bluesky", 400, 156),
    ],
)
def test_who_is_not_there_does_not_answer(
    asking: Asking, profile_key: str | None, platform: str, status: int, code: int
) -> None:
    answer = asking.get(f"history/{platform}", profile_key=profile_key)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_order_of_the_config_decides(two_profiles: Nights) -> None:
    configured = (
        configured_account("shop instagram", "instagram"),
        configured_account("instagram", "instagram"),
    )
    with served(two_profiles.directory, configured) as asking:
        assert asking.ids("instagram") == ids(two_profiles, "shop instagram")
    with served(two_profiles.directory, ()) as asking:
        assert asking.ids("instagram") == ids(two_profiles, "instagram")


def test_a_key_that_cannot_be_revealed_chooses_nothing(two_profiles: Nights) -> None:
    key = Secret("env:NO_SUCH_VARIABLE_HERE")
    configured = (configured_account("shop instagram", "instagram", key),)
    with served(two_profiles.directory, configured) as asking:
        assert asking.get("user", profile_key="anything").status_code == 403
        assert asking.get("user", profile_key="shop instagram").status_code == 200


def test_user_lists_the_accounts_of_a_profile(asking: Asking, two_profiles: Nights) -> None:
    user = asking.get("user").json()
    assert user["activeSocialAccounts"] == ["instagram", "threads", "youtube"]
    ((platform_id, handle, title, url),) = two_profiles.query(
        "SELECT platform_id, handle, title, url FROM accounts WHERE name = 'instagram'"
    )
    shown = user["displayNames"][0]
    assert (shown["id"], shown["username"], shown["displayName"], shown["profileUrl"]) == (
        platform_id, handle, title, url,
    )  # fmt: skip
    shop = asking.get("user", profile_key=SHOP_KEY).json()
    assert shop["activeSocialAccounts"] == ["instagram", "threads"]
    assert SHOP_KEY not in str(shop)
    empty = asking.get("user", profile_key="not yet").json()
    assert "activeSocialAccounts" not in empty


def test_profiles_list_the_labels_that_choose(asking: Asking) -> None:
    titles = [profile["title"] for profile in asking.get("profiles").json()["profiles"]]
    assert sorted(titles) == ["instagram", "shop instagram", "shop threads", "youtube"]
    for title in titles:
        assert asking.get("user", profile_key=title).status_code == 200


def test_somebody_elses_account_is_found_by_id_or_handle(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        world.account("twitter").publish("Mine")
        stranger = world.foreign_account("Somebody")
        theirs = stranger.publish("Theirs")
        world.extra += '\n[[accounts]]\nname = "x"\nplatform = "twitter"\nuser_name = "Somebody"\n'
        world.backup()
        with served(world.directory) as asking:
            assert asking.ids("twitter", userName="somebody") == [theirs.id]
            assert asking.get("history/twitter", {"userName": "no_one"}).json()["code"] == 221
            both = asking.get("history/twitter", {"userName": "Somebody"}, profile_key="x")
            assert both.status_code == 400
            own_id = world.column("SELECT platform_id FROM accounts WHERE name = 'twitter'")
            assert asking.ids("twitter", userId=own_id[0]) == asking.ids("twitter")
