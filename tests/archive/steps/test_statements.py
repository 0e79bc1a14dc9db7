"""A script of SQL is taken apart into its statements, so that a step is one transaction."""

from archiver.archive.steps.statements import statements


def test_each_statement_ends_at_its_own_semicolon() -> None:
    assert statements("CREATE TABLE a (b);\nCREATE INDEX i ON a (b);\n") == [
        "CREATE TABLE a (b);", "CREATE INDEX i ON a (b);",
    ]  # fmt: skip


def test_a_trigger_is_one_statement() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\nDELETE FROM a;\nEND;"
    assert statements(f"{trigger}\nCREATE TABLE c (d);\n") == [trigger, "CREATE TABLE c (d);"]


def test_comments_stay_with_their_statement() -> None:
    table = "CREATE TABLE a (\n    -- one; two\n    b\n);"
    assert statements(f"{table}\n") == [table]
