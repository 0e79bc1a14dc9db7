"""The AT protocol from the other side: keys that sign, trees, and servers of accounts."""
