"""Many archives on many machines: tenants and jobs in PostgreSQL, archives in an object store."""
