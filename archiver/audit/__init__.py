"""What an archive has to show to an auditor: `archiver report`. Reads only."""
