"""The eighteenth step: commitments to changed rows are found without those to added ones."""

from archiver.archive.schema import model


def test_what_was_changed_in_a_table_is_found_in_an_index_and_in_order() -> None:
    query = "SELECT keys FROM ledger_rows WHERE table_name = ? AND change <> 'added' ORDER BY id"
    plan = [row[3] for row in model().execute(f"EXPLAIN QUERY PLAN {query}", ("posts",))]
    assert plan == ["SEARCH ledger_rows USING INDEX ledger_rows_changes (table_name=?)"]
