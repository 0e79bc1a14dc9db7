"""Official exports: opening and recognising packages, and importing them into the archive."""
