"""The schema of `archive.db`, as named steps of plain SQL that explain themselves.

The comments are part of the file: they are kept by SQLite, shown by its `.schema`, and printed
into `docs/schema.md`. A released step is never edited; a change is a new step at the end.
"""

import atexit
import sqlite3
from functools import cache

from sqlite_utils import Database, Migrations

from archiver.archive.facts import KNOWN_STEPS
from archiver.archive.steps import m001_archive as first
from archiver.archive.steps import m002_sources as second
from archiver.archive.steps import m003_media as third
from archiver.archive.steps import m004_search as fourth
from archiver.archive.steps import m005_words as fifth
from archiver.archive.steps import m006_several_sources as sixth
from archiver.archive.steps import m007_lists as seventh
from archiver.archive.steps import m008_origins as eighth
from archiver.archive.steps import m009_visibility as ninth
from archiver.archive.steps import m010_care as tenth
from archiver.archive.steps import m011_resolutions as eleventh
from archiver.archive.steps import m014_care_errors as fourteenth
from archiver.archive.steps import m015_packages as fifteenth
from archiver.archive.steps import m017_ledger as seventeenth
from archiver.archive.steps import m018_ledger_changes as eighteenth
from archiver.archive.steps import m019_search_by_page as nineteenth
from archiver.archive.steps import m020_signing as twentieth
from archiver.archive.steps import m021_time_stamps as twenty_first
from archiver.archive.steps import m022_actors as twenty_second
from archiver.archive.steps import m023_actions as twenty_third
from archiver.archive.steps import m024_holds as twenty_fourth
from archiver.archive.steps import m025_erasures as twenty_fifth
from archiver.archive.steps import m028_films as twenty_eighth
from archiver.archive.steps import m029_missing_media as twenty_ninth
from archiver.archive.steps import m030_emoji as thirtieth
from archiver.archive.steps import m031_unsigned_records as thirty_first

migrations = Migrations("archiver")


@migrations()
def m001_archive(db: Database) -> None:
    """Tables, search and views of the first release."""
    first.apply(db.conn)


@migrations()
def m002_sources(db: Database) -> None:
    """What each source says of a post; codes beside reasons; one word for one thing."""
    second.apply(db.conn)


@migrations()
def m003_media(db: Database) -> None:
    """Files named by what of their query names them; playlists that are no videos."""
    third.apply(db.conn)


@migrations()
def m004_search(db: Database) -> None:
    """A search folds accents, width and normal forms, and finds earlier versions."""
    fourth.apply(db.conn)


@migrations()
def m005_words(db: Database) -> None:
    """Comments of tables in the words of the documentation."""
    fifth.apply(db.conn)


@migrations()
def m006_several_sources(db: Database) -> None:
    """What each of several sources says of a post, and which of them a row comes from."""
    sixth.apply(db.conn)


@migrations()
def m007_lists(db: Database) -> None:
    """Indexes for lists of one kind of post, and of one account's missing files."""
    seventh.apply(db.conn)


@migrations()
def m008_origins(db: Database) -> None:
    """How files came about that nobody served as they are; playlists that are tried again."""
    eighth.apply(db.conn)


@migrations()
def m009_visibility(db: Database) -> None:
    """The event of a changed visibility."""
    ninth.apply(db.conn)


@migrations()
def m010_care(db: Database) -> None:
    """When the archive was verified and copied, and with what result."""
    tenth.apply(db.conn)


@migrations()
def m011_resolutions(db: Database) -> None:
    """The tries to get videos that are behind their pages."""
    eleventh.apply(db.conn)


@migrations()
def m014_care_errors(db: Database) -> None:
    """What of the care for an archive failed; an index for the space that files take."""
    fourteenth.apply(db.conn)


@migrations()
def m015_packages(db: Database) -> None:
    """The official exports that were imported, and which posts they showed."""
    fifteenth.apply(db.conn)


@migrations()
def m017_ledger(db: Database) -> None:
    """The ledger, and its checkpoints."""
    seventeenth.apply(db.conn)


@migrations()
def m018_ledger_changes(db: Database) -> None:
    """Commitments to rows that were changed or removed are found by an index."""
    eighteenth.apply(db.conn)


@migrations()
def m019_search_by_page(db: Database) -> None:
    """A page of posts is added to the search index at once."""
    nineteenth.apply(db.conn)


@migrations()
def m020_signing(db: Database) -> None:
    """The keys that sign checkpoints, and what was lost when a copy was put back."""
    twentieth.apply(db.conn)


@migrations()
def m021_time_stamps(db: Database) -> None:
    """Time stamps of checkpoints."""
    twenty_first.apply(db.conn)


@migrations()
def m022_actors(db: Database) -> None:
    """Who did something with the archive, and with which versions of what."""
    twenty_second.apply(db.conn)


@migrations()
def m023_actions(db: Database) -> None:
    """What people did with the archive that leaves its posts as they are."""
    twenty_third.apply(db.conn)


@migrations()
def m024_holds(db: Database) -> None:
    """Legal holds."""
    twenty_fourth.apply(db.conn)


@migrations()
def m025_erasures(db: Database) -> None:
    """Erasures, and tombstones of what was erased."""
    twenty_fifth.apply(db.conn)


@migrations()
def m028_films(db: Database) -> None:
    """What columns may hold by now: subtitles, and single films."""
    twenty_eighth.apply(db.conn)


@migrations()
def m029_missing_media(db: Database) -> None:
    """Missing files are listed from the indexes of their states."""
    twenty_ninth.apply(db.conn)


@migrations()
def m030_emoji(db: Database) -> None:
    """The pictures of an account are those of its custom emoji too."""
    thirtieth.apply(db.conn)


@migrations()
def m031_unsigned_records(db: Database) -> None:
    """A record has a hash of its exact text, and one without signatures."""
    thirty_first.apply(db.conn)


@cache
def model(steps: frozenset[str] = KNOWN_STEPS) -> sqlite3.Connection:
    """An empty archive in memory, as these steps make it; of this version, if none are given."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    atexit.register(connection.close)  # cached until then; Python 3.13 warns of one left open
    migrations.apply(Database(connection), stop_before=KNOWN_STEPS - steps)
    return connection
