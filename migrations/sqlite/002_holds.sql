-- +goose Up

-- Legal holds. Nothing that one matches is destroyed until it is released. What
-- it matches is judged when something is to be destroyed, so placing one writes
-- no mapping, and what comes later is held, too. The log has the same id: that
-- of the change that placed it.
CREATE TABLE holds (
    tenant       TEXT    NOT NULL REFERENCES tenants (tenant),
    hold_id      TEXT    NOT NULL CHECK (octet_length(hold_id) BETWEEN 1 AND 64),
    matter       TEXT    NOT NULL CHECK (octet_length(matter) BETWEEN 1 AND 256),
    reference    TEXT    NOT NULL CHECK (octet_length(reference) BETWEEN 1 AND 256),
    custodian    TEXT    NOT NULL CHECK (octet_length(custodian) <= 256),
    -- Which criteria are set: all of them must match, by one of their terms.
    by_subject   INTEGER NOT NULL CHECK (by_subject IN (0, 1)),
    by_lookup    INTEGER NOT NULL CHECK (by_lookup IN (0, 1)),
    by_scope     INTEGER NOT NULL CHECK (by_scope IN (0, 1)),
    by_entity    INTEGER NOT NULL CHECK (by_entity IN (0, 1)),
    by_class     INTEGER NOT NULL CHECK (by_class IN (0, 1)),
    -- When a mapping was made that matches: from, and before to. An open end is
    -- 0, or the largest number.
    created_from INTEGER NOT NULL,
    created_to   INTEGER NOT NULL CHECK (created_to > created_from),
    -- Nor does one match that was made after the hold, where this is set.
    existing_only INTEGER NOT NULL CHECK (existing_only IN (0, 1)),
    -- NULL where nobody has to look at it again.
    review_by    INTEGER,
    created_at   INTEGER NOT NULL CHECK (created_at > 0),
    -- NULL while it stands.
    released_at  INTEGER CHECK (released_at >= created_at),
    PRIMARY KEY (tenant, hold_id),
    CHECK (by_subject + by_lookup + by_scope + by_entity + by_class > 0
        OR created_from <> 0 OR created_to <> 9223372036854775807)
) STRICT, WITHOUT ROWID;

-- Where none stands, whatever is destroyed looks here and finds nothing.
CREATE INDEX holds_standing ON holds (tenant, created_from) WHERE released_at IS NULL;
CREATE INDEX holds_age ON holds (tenant, created_at, hold_id);

-- What a hold names: digests of people, of values and of the names of scopes,
-- known yet or not; entities and classes in clear.
CREATE TABLE hold_terms (
    tenant  TEXT NOT NULL,
    hold_id TEXT NOT NULL,
    field   TEXT NOT NULL CHECK (field IN ('subject', 'lookup', 'scope', 'entity', 'class')),
    term    BLOB NOT NULL CHECK (octet_length(term) BETWEEN 1 AND 64),
    PRIMARY KEY (tenant, hold_id, field, term),
    FOREIGN KEY (tenant, hold_id) REFERENCES holds (tenant, hold_id),
    CHECK (field IN ('entity', 'class') OR octet_length(term) = 32)
) STRICT, WITHOUT ROWID;

-- Scopes of a name that have ended are found as well: a hold may keep what is
-- in them.
CREATE INDEX scopes_digest ON scopes (tenant, digest, created_at);
