-- +goose Up

-- The unit of isolation. Tenants are never renamed: their name is in the log.
CREATE TABLE tenants (
    tenant     TEXT    NOT NULL CHECK (octet_length(tenant) BETWEEN 1 AND 64),
    created_at INTEGER NOT NULL CHECK (created_at > 0),
    PRIMARY KEY (tenant)
) STRICT, WITHOUT ROWID;

-- Long-lived secrets of a tenant, wrapped. Versions count from 1 per purpose.
CREATE TABLE tenant_keys (
    tenant       TEXT    NOT NULL REFERENCES tenants (tenant),
    key_id       TEXT    NOT NULL CHECK (octet_length(key_id) BETWEEN 1 AND 64),
    purpose      TEXT    NOT NULL CHECK (purpose IN ('index', 'log')),
    version      INTEGER NOT NULL CHECK (version > 0),
    wrapped      BLOB    NOT NULL CHECK (octet_length(wrapped) BETWEEN 1 AND 65536),
    wrap_version INTEGER NOT NULL CHECK (wrap_version > 0),
    -- The verifier key of a log key; empty for the others.
    public       TEXT    NOT NULL CHECK ((public = '') = (purpose <> 'log') AND octet_length(public) <= 1024),
    created_at   INTEGER NOT NULL CHECK (created_at > 0),
    PRIMARY KEY (tenant, key_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX tenant_keys_version ON tenant_keys (tenant, purpose, version);

-- Pseudonymisation domains. living is 0 once another scope of the same name
-- took over after the end of this one; ends_at decides before that.
CREATE TABLE scopes (
    tenant          TEXT    NOT NULL REFERENCES tenants (tenant),
    scope_id        TEXT    NOT NULL CHECK (octet_length(scope_id) BETWEEN 1 AND 64),
    digest          BLOB    NOT NULL CHECK (octet_length(digest) = 32),
    index_version   INTEGER NOT NULL CHECK (index_version > 0),
    kind            TEXT    NOT NULL CHECK (kind IN ('conversation', 'user', 'case', 'corpus')),
    client          TEXT    NOT NULL CHECK (octet_length(client) <= 256),
    -- NULL where no end user is bound.
    end_user_digest BLOB    CHECK (octet_length(end_user_digest) = 32),
    -- NULL where there is no name, or its key was destroyed.
    sealed_name     BLOB    CHECK (octet_length(sealed_name) BETWEEN 1 AND 65536),
    name_key_id     TEXT    CHECK (octet_length(name_key_id) BETWEEN 1 AND 64),
    idle_ttl        INTEGER NOT NULL CHECK (idle_ttl > 0),
    created_at      INTEGER NOT NULL CHECK (created_at > 0),
    ends_at         INTEGER NOT NULL CHECK (ends_at > created_at),
    living          INTEGER NOT NULL CHECK (living IN (0, 1)),
    PRIMARY KEY (tenant, scope_id),
    CHECK ((sealed_name IS NULL) = (name_key_id IS NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX scopes_living ON scopes (tenant, digest) WHERE living = 1;
CREATE INDEX scopes_end ON scopes (tenant, ends_at);
CREATE INDEX scopes_name_key ON scopes (tenant, name_key_id) WHERE name_key_id IS NOT NULL;

-- The only place where a person's digest and the name of the person in the
-- log meet. Erasure destroys the row.
CREATE TABLE subjects (
    tenant            TEXT    NOT NULL REFERENCES tenants (tenant),
    digest            BLOB    NOT NULL CHECK (octet_length(digest) = 32),
    index_version     INTEGER NOT NULL CHECK (index_version > 0),
    subject_ref       TEXT    NOT NULL CHECK (octet_length(subject_ref) BETWEEN 1 AND 64),
    -- The caller's own identifier, so that the person can be found elsewhere.
    sealed_identifier BLOB    CHECK (octet_length(sealed_identifier) BETWEEN 1 AND 65536),
    key_id            TEXT    CHECK (octet_length(key_id) BETWEEN 1 AND 64),
    created_at        INTEGER NOT NULL CHECK (created_at > 0),
    PRIMARY KEY (tenant, digest),
    CHECK ((sealed_identifier IS NULL) = (key_id IS NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX subjects_ref ON subjects (tenant, subject_ref);
CREATE INDEX subjects_key ON subjects (tenant, key_id) WHERE key_id IS NOT NULL;

-- The units of destruction. There is no foreign key from what a key seals to
-- the key: destroying it must cost one row, however much it seals.
CREATE TABLE data_keys (
    tenant       TEXT    NOT NULL REFERENCES tenants (tenant),
    key_id       TEXT    NOT NULL CHECK (octet_length(key_id) BETWEEN 1 AND 64),
    scope_id     TEXT,
    subject_ref  TEXT    CHECK (octet_length(subject_ref) BETWEEN 1 AND 64),
    wrapped      BLOB    NOT NULL CHECK (octet_length(wrapped) BETWEEN 1 AND 65536),
    wrap_version INTEGER NOT NULL CHECK (wrap_version > 0),
    -- How many values it ever sealed. Never falls; bounded for keys of scopes.
    sealed       INTEGER NOT NULL CHECK (sealed >= 0),
    created_at   INTEGER NOT NULL CHECK (created_at > 0),
    -- Since when a sweep found nothing under it; NULL while it is in use. It
    -- only finds keys quickly: what decides is whether rows name the key.
    idle_at      INTEGER CHECK (idle_at > 0),
    PRIMARY KEY (tenant, key_id),
    FOREIGN KEY (tenant, scope_id) REFERENCES scopes (tenant, scope_id),
    CHECK ((scope_id IS NULL) <> (subject_ref IS NULL)),
    CHECK (scope_id IS NULL OR sealed <= 1024)
) STRICT, WITHOUT ROWID;

CREATE INDEX data_keys_scope ON data_keys (tenant, scope_id, created_at) WHERE scope_id IS NOT NULL;
CREATE INDEX data_keys_subject ON data_keys (tenant, subject_ref, created_at) WHERE subject_ref IS NOT NULL;
CREATE INDEX data_keys_wrap ON data_keys (tenant, wrap_version);
CREATE INDEX data_keys_idle ON data_keys (tenant, idle_at) WHERE idle_at IS NOT NULL;

-- A token's encrypted value. Expiry is no state: expires_at is compared with
-- the store's clock when something is decided.
CREATE TABLE mappings (
    tenant         TEXT    NOT NULL,
    scope_id       TEXT    NOT NULL,
    token_id       TEXT    NOT NULL CHECK (octet_length(token_id) BETWEEN 1 AND 64),
    format         TEXT    NOT NULL CHECK (octet_length(format) BETWEEN 1 AND 64),
    entity         TEXT    NOT NULL CHECK (octet_length(entity) BETWEEN 1 AND 64),
    class          TEXT    NOT NULL CHECK (octet_length(class) BETWEEN 1 AND 64),
    identity       BLOB    NOT NULL CHECK (octet_length(identity) = 32),
    lookup         BLOB    NOT NULL CHECK (octet_length(lookup) = 32),
    index_version  INTEGER NOT NULL CHECK (index_version > 0),
    key_id         TEXT    NOT NULL CHECK (octet_length(key_id) BETWEEN 1 AND 64),
    sealed         BLOB    NOT NULL CHECK (octet_length(sealed) > 0),
    state          TEXT    NOT NULL CHECK (state IN ('live', 'retired', 'restricted')),
    created_at     INTEGER NOT NULL CHECK (created_at > 0),
    expires_at     INTEGER NOT NULL CHECK (expires_at > created_at),
    max_expires_at INTEGER NOT NULL CHECK (max_expires_at >= expires_at),
    PRIMARY KEY (tenant, scope_id, token_id),
    FOREIGN KEY (tenant, scope_id) REFERENCES scopes (tenant, scope_id)
) STRICT, WITHOUT ROWID;

-- One value, one token: among the living rows of a scope.
CREATE UNIQUE INDEX mappings_identity ON mappings (tenant, scope_id, identity) WHERE state = 'live';
CREATE INDEX mappings_lookup ON mappings (tenant, lookup);
CREATE INDEX mappings_key ON mappings (tenant, key_id);
CREATE INDEX mappings_expiry ON mappings (tenant, expires_at);

-- Whom a value is about.
CREATE TABLE mapping_subjects (
    tenant      TEXT    NOT NULL,
    scope_id    TEXT    NOT NULL,
    token_id    TEXT    NOT NULL,
    subject_ref TEXT    NOT NULL CHECK (octet_length(subject_ref) BETWEEN 1 AND 64),
    basis       TEXT    NOT NULL CHECK (basis IN ('declared', 'linked', 'identifier')),
    created_at  INTEGER NOT NULL CHECK (created_at > 0),
    PRIMARY KEY (tenant, scope_id, token_id, subject_ref),
    FOREIGN KEY (tenant, scope_id, token_id) REFERENCES mappings (tenant, scope_id, token_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX mapping_subjects_ref ON mapping_subjects (tenant, subject_ref);

-- Which document a value came from, where the caller said so.
CREATE TABLE mapping_sources (
    tenant     TEXT    NOT NULL,
    scope_id   TEXT    NOT NULL,
    source     BLOB    NOT NULL CHECK (octet_length(source) = 32),
    token_id   TEXT    NOT NULL,
    created_at INTEGER NOT NULL CHECK (created_at > 0),
    PRIMARY KEY (tenant, scope_id, source, token_id),
    FOREIGN KEY (tenant, scope_id, token_id) REFERENCES mappings (tenant, scope_id, token_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX mapping_sources_token ON mapping_sources (tenant, scope_id, token_id);

-- Idempotency keys of callers and the bodies that came with them, as digests.
-- The answer is never kept: a repeated request is decided anew.
CREATE TABLE claims (
    tenant     TEXT    NOT NULL REFERENCES tenants (tenant),
    claim      BLOB    NOT NULL CHECK (octet_length(claim) = 32),
    body       BLOB    NOT NULL CHECK (octet_length(body) = 32),
    change_id  TEXT    NOT NULL CHECK (octet_length(change_id) BETWEEN 1 AND 256),
    created_at INTEGER NOT NULL CHECK (created_at > 0),
    PRIMARY KEY (tenant, claim)
) STRICT, WITHOUT ROWID;

CREATE INDEX claims_age ON claims (tenant, created_at);

-- The log. Every column but the leaf can be told from the leaf, and verify
-- compares them. Kinds and decisions are closed lists of the leaf's format,
-- not of this table: a row can never be changed to fit a longer list.
CREATE TABLE entries (
    tenant    TEXT    NOT NULL REFERENCES tenants (tenant),
    idx       INTEGER NOT NULL CHECK (idx >= 0),
    -- The exact bytes that were hashed. NULL is for the day when retention
    -- prunes them; the hash, and so every proof, stays.
    leaf      BLOB    CHECK (octet_length(leaf) BETWEEN 2 AND 32768),
    leaf_hash BLOB    NOT NULL CHECK (octet_length(leaf_hash) = 32),
    time      INTEGER NOT NULL CHECK (time > 0),
    change_id TEXT    NOT NULL CHECK (octet_length(change_id) BETWEEN 1 AND 256),
    seq       INTEGER NOT NULL CHECK (seq >= 0),
    PRIMARY KEY (tenant, idx)
) STRICT;

-- After an unknown outcome a change is found by its id, and never lands twice.
CREATE UNIQUE INDEX entries_change ON entries (tenant, change_id, seq);
CREATE INDEX entries_time ON entries (tenant, time, idx);

-- What entries are searched by, one row for each thing that an entry names,
-- so that every filter, also on lists, is a walk along one index.
CREATE TABLE entry_terms (
    tenant TEXT    NOT NULL,
    field  TEXT    NOT NULL CHECK (field IN ('actor', 'decision', 'entity', 'kind', 'reason', 'request', 'token')),
    term   TEXT    NOT NULL CHECK (octet_length(term) BETWEEN 1 AND 256),
    idx    INTEGER NOT NULL,
    PRIMARY KEY (tenant, field, term, idx),
    FOREIGN KEY (tenant, idx) REFERENCES entries (tenant, idx)
) STRICT, WITHOUT ROWID;

CREATE INDEX entry_terms_entry ON entry_terms (tenant, idx);

-- Complete subtrees above the leaves. A node never changes.
CREATE TABLE log_nodes (
    tenant TEXT    NOT NULL REFERENCES tenants (tenant),
    level  INTEGER NOT NULL CHECK (level BETWEEN 1 AND 48),
    n      INTEGER NOT NULL CHECK (n >= 0),
    hash   BLOB    NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (tenant, level, n)
) STRICT, WITHOUT ROWID;

-- Where each log stands. The frontier holds the size. What every commit has to
-- know of its tenant stands in the same row, because that row is read under the
-- lock, and no other row is needed to decide.
CREATE TABLE log_heads (
    tenant    TEXT    NOT NULL REFERENCES tenants (tenant),
    frontier  BLOB    NOT NULL CHECK (octet_length(frontier) >= 9),
    last_time INTEGER NOT NULL CHECK (last_time > 0),
    -- Whether the tenant is served.
    state     TEXT    NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'closed')),
    -- No key is written that an older version of the wrapping key wrapped.
    min_wrap_version INTEGER NOT NULL DEFAULT 1 CHECK (min_wrap_version > 0),
    PRIMARY KEY (tenant)
) STRICT, WITHOUT ROWID;

-- Bookkeeping that may be written without an entry; the code has the list.
CREATE TABLE notes (
    tenant TEXT    NOT NULL REFERENCES tenants (tenant),
    kind   TEXT    NOT NULL CHECK (octet_length(kind) BETWEEN 1 AND 64),
    -- One that is behind does not replace one that is ahead.
    ord    INTEGER NOT NULL CHECK (ord >= 0),
    body   BLOB    NOT NULL CHECK (octet_length(body) <= 1048576),
    at     INTEGER NOT NULL CHECK (at > 0),
    PRIMARY KEY (tenant, kind)
) STRICT, WITHOUT ROWID;

-- What was logged stays as it was logged. The triggers stop mistakes; whoever
-- owns the file can drop them, and that is what the tree is for.

-- +goose StatementBegin
CREATE TRIGGER entries_no_gap BEFORE INSERT ON entries
WHEN NEW.idx <> (SELECT COALESCE(MAX(e.idx) + 1, 0) FROM entries AS e WHERE e.tenant = NEW.tenant)
BEGIN SELECT RAISE(ABORT, 'indexes of entries have no gap'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER entry_terms_no_update BEFORE UPDATE ON entry_terms
BEGIN SELECT RAISE(ABORT, 'terms of entries are never changed'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER entry_terms_no_delete BEFORE DELETE ON entry_terms
BEGIN SELECT RAISE(ABORT, 'terms of entries are never deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER log_nodes_no_update BEFORE UPDATE ON log_nodes
BEGIN SELECT RAISE(ABORT, 'nodes of the log are never changed'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER log_nodes_no_delete BEFORE DELETE ON log_nodes
BEGIN SELECT RAISE(ABORT, 'nodes of the log are never deleted'); END;
-- +goose StatementEnd
