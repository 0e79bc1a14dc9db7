"""Twenty-ninth step: the view of missing files is read from the indexes of their states.

An index of some states is not used for a list that has others too, so the list is in two parts: the
states of each of two indexes.
"""

import sqlite3

from archiver.archive.steps.statements import statements

VIEW = """
DROP VIEW missing_media;
CREATE VIEW missing_media AS
    -- Every file that is not here, and why. Files skipped because of the settings are not listed.
    SELECT accounts.name AS account, posts.platform, posts.created_at, posts.id AS post_id,
           posts.url AS post_url, attachments.position, attachments.kind, renditions.role,
           renditions.state, renditions.reason_code, renditions.reason, renditions.tries,
           renditions.next_try_at, renditions.url
      FROM renditions
      JOIN attachments ON attachments.id = renditions.attachment_id
      JOIN posts ON posts.id = attachments.post_id
      JOIN accounts ON accounts.id = posts.account_id
     WHERE renditions.state IN ('pending', 'failed')
        OR renditions.state IN ('omitted', 'not_offered', 'gone', 'refused')
     ORDER BY posts.created_at DESC, posts.id, attachments.position;
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the view anew."""
    for statement in statements(VIEW):
        connection.execute(statement)
