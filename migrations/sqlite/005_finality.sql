-- +goose Up

-- The oldest version of the wrapping key that was not retired.
ALTER TABLE log_heads ADD COLUMN retired_below INTEGER NOT NULL DEFAULT 1 CHECK (retired_below > 0);

-- Until when what was erased is kept out; NULL: not at all. And when nothing
-- opens it any more, no backup either; NULL until that is said.
ALTER TABLE erasures ADD COLUMN suppress_until INTEGER;
ALTER TABLE erasures ADD COLUMN final_at INTEGER CHECK (final_at > 0);

CREATE INDEX erasures_not_final ON erasures (tenant, erased_at, erasure_id) WHERE final_at IS NULL;

-- Which version wrapped a key when it was destroyed: 0 for those that were
-- before this was kept, which count as wrapped by the newest.
ALTER TABLE tombstones ADD COLUMN wrap_version INTEGER NOT NULL DEFAULT 0 CHECK (wrap_version >= 0);
-- It sealed what stayed, too, and that was sealed anew.
ALTER TABLE tombstones ADD COLUMN rekeyed INTEGER NOT NULL DEFAULT 1 CHECK (rekeyed IN (0, 1));

CREATE INDEX tombstones_age ON tombstones (tenant, erased_at, key_id);
CREATE INDEX tombstones_erasure ON tombstones (tenant, erasure_id);

-- Where what was erased had been sent.
CREATE TABLE erasure_destinations (
    tenant      TEXT    NOT NULL,
    erasure_id  TEXT    NOT NULL,
    destination TEXT    NOT NULL CHECK (octet_length(destination) BETWEEN 1 AND 64),
    mappings    INTEGER NOT NULL CHECK (mappings > 0),
    first_sent  INTEGER NOT NULL CHECK (first_sent > 0),
    last_sent   INTEGER NOT NULL CHECK (last_sent >= first_sent),
    PRIMARY KEY (tenant, erasure_id, destination),
    FOREIGN KEY (tenant, erasure_id) REFERENCES erasures (tenant, erasure_id)
) STRICT, WITHOUT ROWID;

-- Entities of an erasure that suppresses whose values many people share.
CREATE TABLE erasure_common (
    tenant     TEXT NOT NULL,
    erasure_id TEXT NOT NULL,
    entity     TEXT NOT NULL CHECK (octet_length(entity) BETWEEN 1 AND 64),
    PRIMARY KEY (tenant, erasure_id, entity),
    FOREIGN KEY (tenant, erasure_id) REFERENCES erasures (tenant, erasure_id)
) STRICT, WITHOUT ROWID;

-- Look-up digests of what was erased and is kept out. Until the rows of what was
-- erased are swept, they say so themselves; a sweep writes these.
CREATE TABLE suppressions (
    tenant TEXT    NOT NULL REFERENCES tenants (tenant),
    lookup BLOB    NOT NULL CHECK (octet_length(lookup) = 32),
    -- The digest of a scope's name: only there. 32 zero bytes: everywhere.
    scope  BLOB    NOT NULL CHECK (octet_length(scope) = 32),
    until  INTEGER NOT NULL CHECK (until > 0),
    PRIMARY KEY (tenant, lookup, scope)
) STRICT, WITHOUT ROWID;

CREATE INDEX suppressions_age ON suppressions (tenant, until);
