"""The twenty-ninth step: missing files are found without reading those that are there."""

from archiver.archive.schema import model


def test_missing_files_are_found_in_indexes_of_their_states() -> None:
    plan = [row[3] for row in model().execute("EXPLAIN QUERY PLAN SELECT * FROM missing_media")]
    used = [step for step in plan if "renditions" in step]
    assert used == [
        "SEARCH renditions USING INDEX renditions_unfinished (state=?)",
        "SEARCH renditions USING INDEX renditions_absent (state=?)",
    ]
    assert not [step for step in plan if step.startswith("SCAN")]
