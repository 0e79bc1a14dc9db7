"""What metrics are called in words."""

import pytest

from archiver.metric_names import COMMON_METRICS, metric_name, metric_rank


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("likes", "likes"),
        ("link_clicks", "link clicks"),
        ("reactions.like", "reactions: like"),
        ("reactions_by_type", "reactions of all types"),
        ("non_public.impressions", "impressions (owner only)"),
        ("organic.playback_100", "organic videos played to the end"),
        ("fan_paid.reach", "paid reach among followers"),
        ("someone.else_s", "someone, else s"),
        ("trailing.", "trailing, "),
        ("", ""),
    ],
)
def test_a_metric_is_named_in_words(name: str, said: str) -> None:
    assert metric_name(name) == said


def test_common_metrics_come_first_and_in_order() -> None:
    names = ["organic.likes", *reversed(COMMON_METRICS)]
    assert sorted(names, key=metric_rank) == [*COMMON_METRICS, "organic.likes"]
