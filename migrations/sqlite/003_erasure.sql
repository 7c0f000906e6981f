-- +goose Up

-- Erasures of a person, each under the id of the change that began it. A part
-- that a hold keeps is deferred, and goes on under the same id. The row stays
-- when its data are gone: it is what a receipt tells.
CREATE TABLE erasures (
    tenant             TEXT    NOT NULL REFERENCES tenants (tenant),
    erasure_id         TEXT    NOT NULL CHECK (octet_length(erasure_id) BETWEEN 1 AND 64),
    -- NULL once it is completed: nothing says any more who the reference is.
    subject            BLOB    CHECK (octet_length(subject) = 32),
    -- Empty where nobody knew the person.
    subject_ref        TEXT    NOT NULL CHECK (octet_length(subject_ref) <= 64),
    reference          TEXT    NOT NULL CHECK (octet_length(reference) BETWEEN 1 AND 256),
    regime             TEXT    NOT NULL CHECK (octet_length(regime) BETWEEN 1 AND 64),
    -- Who established how that the person is the one who asks, and when.
    identity_method    TEXT    NOT NULL CHECK (octet_length(identity_method) BETWEEN 1 AND 256),
    identity_reference TEXT    NOT NULL CHECK (octet_length(identity_reference) BETWEEN 1 AND 256),
    verified_by        TEXT    NOT NULL CHECK (octet_length(verified_by) BETWEEN 1 AND 256),
    verified_at        INTEGER NOT NULL,
    state              TEXT    NOT NULL CHECK (state IN ('deferred', 'completed')),
    -- What was made later is none of it.
    erased_at          INTEGER NOT NULL CHECK (erased_at > 0),
    completed_at       INTEGER CHECK (completed_at >= erased_at),
    -- Of all commits together, but for deferred: that is how the last left it.
    erased             INTEGER NOT NULL CHECK (erased >= 0),
    shared             INTEGER NOT NULL CHECK (shared >= 0),
    deferred           INTEGER NOT NULL CHECK (deferred >= 0),
    keys               INTEGER NOT NULL CHECK (keys >= 0),
    rekeyed            INTEGER NOT NULL CHECK (rekeyed >= 0),
    PRIMARY KEY (tenant, erasure_id),
    CHECK ((state = 'deferred') = (completed_at IS NULL)),
    CHECK ((state = 'deferred') = (subject IS NOT NULL)),
    CHECK ((state = 'deferred') = (deferred > 0))
) STRICT, WITHOUT ROWID;

CREATE INDEX erasures_age ON erasures (tenant, erased_at, erasure_id);
CREATE INDEX erasures_deferred ON erasures (tenant, erased_at, erasure_id) WHERE state = 'deferred';

-- The data keys that erasures destroyed. What one sealed is erased from that
-- commit on; its rows go with the next sweeps, and then it is swept. The row
-- itself is never deleted: it says of an older copy of the data what must not
-- be read from it.
CREATE TABLE tombstones (
    tenant     TEXT    NOT NULL,
    key_id     TEXT    NOT NULL CHECK (octet_length(key_id) BETWEEN 1 AND 64),
    erasure_id TEXT    NOT NULL,
    erased_at  INTEGER NOT NULL CHECK (erased_at > 0),
    -- NULL while there may be rows of what it sealed.
    swept_at   INTEGER CHECK (swept_at >= erased_at),
    PRIMARY KEY (tenant, key_id),
    FOREIGN KEY (tenant, erasure_id) REFERENCES erasures (tenant, erasure_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX tombstones_unswept ON tombstones (tenant, key_id) WHERE swept_at IS NULL;

-- +goose StatementBegin
CREATE TRIGGER tombstones_no_delete BEFORE DELETE ON tombstones
BEGIN SELECT RAISE(ABORT, 'tombstones are never deleted'); END;
-- +goose StatementEnd
