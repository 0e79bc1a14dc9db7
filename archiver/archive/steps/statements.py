"""SQL scripts, statement by statement: a script as a whole would commit by itself."""


def statements(script: str) -> list[str]:
    """The statements of a script, one by one: a script as a whole would commit by itself."""
    found, current = [], ""
    for line in script.splitlines(keepends=True):
        current += line
        if _is_complete(current):
            found.append(current.strip())
            current = ""
    return found


def _is_complete(text: str) -> bool:
    if not text.rstrip().endswith(";"):
        return False
    is_trigger = text.lstrip().upper().startswith("CREATE TRIGGER")
    return not is_trigger or text.rstrip().upper().endswith("END;")
