"""Views for people: the archive's tables joined as one would read them, in plain SQL."""

VIEWS = """
CREATE VIEW timeline AS
    -- All posts, newest first, as a person would read them.
    SELECT posts.id, posts.created_at, posts.platform, accounts.name AS account, posts.kind,
           coalesce(posts.title || char(10), '') || coalesce(posts.text, '') AS text,
           posts.url,
           (SELECT count(*) FROM attachments WHERE post_id = posts.id) AS attached,
           (SELECT media.path FROM attachments
              JOIN renditions ON attachment_id = attachments.id
              JOIN media ON sha256 = media_sha256 AND lost_at IS NULL
             WHERE post_id = posts.id ORDER BY position, role = 'original' DESC LIMIT 1) AS media,
           posts.edited_at, posts.removed_at
      FROM posts JOIN accounts ON accounts.id = posts.account_id
     ORDER BY posts.created_at DESC, posts.id;

CREATE VIEW missing_media AS
    -- Every file that is not here, and why. Files left out by the settings are not listed.
    SELECT accounts.name AS account, posts.platform, posts.created_at, posts.id AS post_id,
           posts.url AS post_url, attachments.position, attachments.kind, renditions.role,
           renditions.state, renditions.reason, renditions.tries, renditions.next_try_at,
           renditions.url
      FROM renditions
      JOIN attachments ON attachments.id = renditions.attachment_id
      JOIN posts ON posts.id = attachments.post_id
      JOIN accounts ON accounts.id = posts.account_id
     WHERE renditions.state IN ('pending', 'omitted', 'gone', 'failed', 'refused')
     ORDER BY posts.created_at DESC, posts.id, attachments.position;

CREATE VIEW latest_metrics AS
    -- The newest value of every number.
    SELECT post_id, attachment_id, name, max(seen_at) AS seen_at, value
      FROM metrics GROUP BY post_id, attachment_id, name;

CREATE VIEW gaps AS
    -- Stretches of time that no complete look has covered. Stories before the first are no gap.
    SELECT account, platform, stream, since, until, reason FROM (
        SELECT accounts.name AS account, accounts.platform, stream, here.oldest AS until, reason,
               (SELECT max(below.newest) FROM coverage AS below
                 WHERE below.account_id = here.account_id AND below.stream = here.stream
                   AND below.newest < here.oldest) AS since
          FROM coverage AS here JOIN accounts ON accounts.id = here.account_id
         WHERE NOT here.reached_start AND NOT EXISTS (
            SELECT 1 FROM coverage AS across
             WHERE across.account_id = here.account_id AND across.stream = here.stream
               AND across.id <> here.id AND across.newest >= here.oldest
               AND (across.oldest < here.oldest OR across.reached_start))
    ) WHERE since IS NOT NULL OR stream = 'posts'
    ORDER BY account, stream, until DESC;
"""
