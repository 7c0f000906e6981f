-- +goose Up

-- The same tables as those of the embedded store, see ../sqlite, with what
-- PostgreSQL adds: identifiers are compared by their bytes whatever the
-- database sorts by, every row is behind row-level security, and the log is
-- guarded against its own owner. Rights are in roles.sql.

-- The unit of isolation. Tenants are never renamed: their name is in the log.
CREATE TABLE tenants (
    tenant     text COLLATE "C" NOT NULL CHECK (octet_length(tenant) BETWEEN 1 AND 64),
    created_at bigint           NOT NULL CHECK (created_at > 0),
    PRIMARY KEY (tenant)
);

-- Long-lived secrets of a tenant, wrapped. Versions count from 1 per purpose.
CREATE TABLE tenant_keys (
    tenant       text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    key_id       text COLLATE "C" NOT NULL CHECK (octet_length(key_id) BETWEEN 1 AND 64),
    purpose      text COLLATE "C" NOT NULL CHECK (purpose IN ('index', 'log')),
    version      bigint           NOT NULL CHECK (version > 0),
    wrapped      bytea            NOT NULL CHECK (octet_length(wrapped) BETWEEN 1 AND 65536),
    wrap_version bigint           NOT NULL CHECK (wrap_version > 0),
    -- The verifier key of a log key; empty for the others.
    public       text COLLATE "C" NOT NULL CHECK ((public = '') = (purpose <> 'log') AND octet_length(public) <= 1024),
    created_at   bigint           NOT NULL CHECK (created_at > 0),
    PRIMARY KEY (tenant, key_id)
);

CREATE UNIQUE INDEX tenant_keys_version ON tenant_keys (tenant, purpose, version);

-- Pseudonymisation domains. living is false once another scope of the same
-- name took over after the end of this one; ends_at decides before that.
CREATE TABLE scopes (
    tenant          text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    scope_id        text COLLATE "C" NOT NULL CHECK (octet_length(scope_id) BETWEEN 1 AND 64),
    digest          bytea            NOT NULL CHECK (octet_length(digest) = 32),
    index_version   bigint           NOT NULL CHECK (index_version > 0),
    kind            text COLLATE "C" NOT NULL CHECK (kind IN ('conversation', 'user', 'case', 'corpus')),
    client          text COLLATE "C" NOT NULL CHECK (octet_length(client) <= 256),
    -- NULL where no end user is bound.
    end_user_digest bytea            CHECK (octet_length(end_user_digest) = 32),
    -- NULL where there is no name, or its key was destroyed.
    sealed_name     bytea            CHECK (octet_length(sealed_name) BETWEEN 1 AND 65536),
    name_key_id     text COLLATE "C" CHECK (octet_length(name_key_id) BETWEEN 1 AND 64),
    idle_ttl        bigint           NOT NULL CHECK (idle_ttl > 0),
    created_at      bigint           NOT NULL CHECK (created_at > 0),
    ends_at         bigint           NOT NULL CHECK (ends_at > created_at),
    living          boolean          NOT NULL,
    PRIMARY KEY (tenant, scope_id),
    CHECK ((sealed_name IS NULL) = (name_key_id IS NULL))
);

CREATE UNIQUE INDEX scopes_living ON scopes (tenant, digest) WHERE living;
CREATE INDEX scopes_end ON scopes (tenant, ends_at);
CREATE INDEX scopes_name_key ON scopes (tenant, name_key_id) WHERE name_key_id IS NOT NULL;

-- The only place where a person's digest and the name of the person in the
-- log meet. Erasure destroys the row.
CREATE TABLE subjects (
    tenant            text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    digest            bytea            NOT NULL CHECK (octet_length(digest) = 32),
    index_version     bigint           NOT NULL CHECK (index_version > 0),
    subject_ref       text COLLATE "C" NOT NULL CHECK (octet_length(subject_ref) BETWEEN 1 AND 64),
    -- The caller's own identifier, so that the person can be found elsewhere.
    sealed_identifier bytea            CHECK (octet_length(sealed_identifier) BETWEEN 1 AND 65536),
    key_id            text COLLATE "C" CHECK (octet_length(key_id) BETWEEN 1 AND 64),
    created_at        bigint           NOT NULL CHECK (created_at > 0),
    PRIMARY KEY (tenant, digest),
    CHECK ((sealed_identifier IS NULL) = (key_id IS NULL))
);

CREATE UNIQUE INDEX subjects_ref ON subjects (tenant, subject_ref);
CREATE INDEX subjects_key ON subjects (tenant, key_id) WHERE key_id IS NOT NULL;

-- The units of destruction. There is no foreign key from what a key seals to
-- the key: destroying it must cost one row, however much it seals.
CREATE TABLE data_keys (
    tenant       text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    key_id       text COLLATE "C" NOT NULL CHECK (octet_length(key_id) BETWEEN 1 AND 64),
    scope_id     text COLLATE "C",
    subject_ref  text COLLATE "C" CHECK (octet_length(subject_ref) BETWEEN 1 AND 64),
    wrapped      bytea            NOT NULL CHECK (octet_length(wrapped) BETWEEN 1 AND 65536),
    wrap_version bigint           NOT NULL CHECK (wrap_version > 0),
    -- How many values it ever sealed. Never falls; bounded for keys of scopes.
    sealed       bigint           NOT NULL CHECK (sealed >= 0),
    created_at   bigint           NOT NULL CHECK (created_at > 0),
    -- Since when a sweep found nothing under it; NULL while it is in use. It
    -- only finds keys quickly: what decides is whether rows name the key.
    idle_at      bigint           CHECK (idle_at > 0),
    PRIMARY KEY (tenant, key_id),
    FOREIGN KEY (tenant, scope_id) REFERENCES scopes (tenant, scope_id),
    CHECK ((scope_id IS NULL) <> (subject_ref IS NULL)),
    CHECK (scope_id IS NULL OR sealed <= 1024)
);

CREATE INDEX data_keys_scope ON data_keys (tenant, scope_id, created_at) WHERE scope_id IS NOT NULL;
CREATE INDEX data_keys_subject ON data_keys (tenant, subject_ref, created_at) WHERE subject_ref IS NOT NULL;
CREATE INDEX data_keys_wrap ON data_keys (tenant, wrap_version);
CREATE INDEX data_keys_idle ON data_keys (tenant, idle_at) WHERE idle_at IS NOT NULL;

-- A token's encrypted value. Expiry is no state: expires_at is compared with
-- the store's clock when something is decided.
CREATE TABLE mappings (
    tenant         text COLLATE "C" NOT NULL,
    scope_id       text COLLATE "C" NOT NULL,
    token_id       text COLLATE "C" NOT NULL CHECK (octet_length(token_id) BETWEEN 1 AND 64),
    format         text COLLATE "C" NOT NULL CHECK (octet_length(format) BETWEEN 1 AND 64),
    entity         text COLLATE "C" NOT NULL CHECK (octet_length(entity) BETWEEN 1 AND 64),
    class          text COLLATE "C" NOT NULL CHECK (octet_length(class) BETWEEN 1 AND 64),
    identity       bytea            NOT NULL CHECK (octet_length(identity) = 32),
    lookup         bytea            NOT NULL CHECK (octet_length(lookup) = 32),
    index_version  bigint           NOT NULL CHECK (index_version > 0),
    key_id         text COLLATE "C" NOT NULL CHECK (octet_length(key_id) BETWEEN 1 AND 64),
    sealed         bytea            NOT NULL CHECK (octet_length(sealed) > 0),
    state          text COLLATE "C" NOT NULL CHECK (state IN ('live', 'retired', 'restricted')),
    created_at     bigint           NOT NULL CHECK (created_at > 0),
    expires_at     bigint           NOT NULL CHECK (expires_at > created_at),
    max_expires_at bigint           NOT NULL CHECK (max_expires_at >= expires_at),
    PRIMARY KEY (tenant, scope_id, token_id),
    FOREIGN KEY (tenant, scope_id) REFERENCES scopes (tenant, scope_id)
);

-- One value, one token: among the living rows of a scope.
CREATE UNIQUE INDEX mappings_identity ON mappings (tenant, scope_id, identity) WHERE state = 'live';
CREATE INDEX mappings_lookup ON mappings (tenant, lookup);
CREATE INDEX mappings_key ON mappings (tenant, key_id);
CREATE INDEX mappings_expiry ON mappings (tenant, expires_at);

-- Whom a value is about.
CREATE TABLE mapping_subjects (
    tenant      text COLLATE "C" NOT NULL,
    scope_id    text COLLATE "C" NOT NULL,
    token_id    text COLLATE "C" NOT NULL,
    subject_ref text COLLATE "C" NOT NULL CHECK (octet_length(subject_ref) BETWEEN 1 AND 64),
    basis       text COLLATE "C" NOT NULL CHECK (basis IN ('declared', 'linked', 'identifier')),
    created_at  bigint           NOT NULL CHECK (created_at > 0),
    PRIMARY KEY (tenant, scope_id, token_id, subject_ref),
    FOREIGN KEY (tenant, scope_id, token_id) REFERENCES mappings (tenant, scope_id, token_id) ON DELETE CASCADE
);

CREATE INDEX mapping_subjects_ref ON mapping_subjects (tenant, subject_ref);

-- Which document a value came from, where the caller said so.
CREATE TABLE mapping_sources (
    tenant     text COLLATE "C" NOT NULL,
    scope_id   text COLLATE "C" NOT NULL,
    source     bytea            NOT NULL CHECK (octet_length(source) = 32),
    token_id   text COLLATE "C" NOT NULL,
    created_at bigint           NOT NULL CHECK (created_at > 0),
    PRIMARY KEY (tenant, scope_id, source, token_id),
    FOREIGN KEY (tenant, scope_id, token_id) REFERENCES mappings (tenant, scope_id, token_id) ON DELETE CASCADE
);

CREATE INDEX mapping_sources_token ON mapping_sources (tenant, scope_id, token_id);

-- Idempotency keys of callers and the bodies that came with them, as digests.
-- The answer is never kept: a repeated request is decided anew.
CREATE TABLE claims (
    tenant     text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    claim      bytea            NOT NULL CHECK (octet_length(claim) = 32),
    body       bytea            NOT NULL CHECK (octet_length(body) = 32),
    change_id  text COLLATE "C" NOT NULL CHECK (octet_length(change_id) BETWEEN 1 AND 256),
    created_at bigint           NOT NULL CHECK (created_at > 0),
    PRIMARY KEY (tenant, claim)
);

CREATE INDEX claims_age ON claims (tenant, created_at);

-- The log. Every column but the leaf can be told from the leaf, and verify
-- compares them. Kinds and decisions are closed lists of the leaf's format,
-- not of this table: a row can never be changed to fit a longer list.
CREATE TABLE entries (
    tenant    text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    idx       bigint           NOT NULL CHECK (idx >= 0),
    -- The exact bytes that were hashed. NULL is for the day when retention
    -- prunes them; the hash, and so every proof, stays.
    leaf      bytea            CHECK (octet_length(leaf) BETWEEN 2 AND 32768),
    leaf_hash bytea            NOT NULL CHECK (octet_length(leaf_hash) = 32),
    time      bigint           NOT NULL CHECK (time > 0),
    change_id text COLLATE "C" NOT NULL CHECK (octet_length(change_id) BETWEEN 1 AND 256),
    seq       bigint           NOT NULL CHECK (seq >= 0),
    PRIMARY KEY (tenant, idx)
);

-- After an unknown outcome a change is found by its id, and never lands twice.
CREATE UNIQUE INDEX entries_change ON entries (tenant, change_id, seq);
CREATE INDEX entries_time ON entries (tenant, time, idx);

-- What entries are searched by, one row for each thing that an entry names,
-- so that every filter, also on lists, is a walk along one index.
CREATE TABLE entry_terms (
    tenant text COLLATE "C" NOT NULL,
    field  text COLLATE "C" NOT NULL CHECK (field IN ('actor', 'decision', 'entity', 'kind', 'reason', 'request', 'token')),
    term   text COLLATE "C" NOT NULL CHECK (octet_length(term) BETWEEN 1 AND 256),
    idx    bigint           NOT NULL,
    PRIMARY KEY (tenant, field, term, idx),
    FOREIGN KEY (tenant, idx) REFERENCES entries (tenant, idx)
);

CREATE INDEX entry_terms_entry ON entry_terms (tenant, idx);

-- Complete subtrees above the leaves. A node never changes.
CREATE TABLE log_nodes (
    tenant text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    level  bigint           NOT NULL CHECK (level BETWEEN 1 AND 48),
    n      bigint           NOT NULL CHECK (n >= 0),
    hash   bytea            NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (tenant, level, n)
);

-- Where each log stands. The frontier holds the size. What every commit has to
-- know of its tenant stands in the same row, because that row is read under the
-- lock, and no other row is needed to decide.
CREATE TABLE log_heads (
    tenant    text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    frontier  bytea            NOT NULL CHECK (octet_length(frontier) >= 9),
    last_time bigint           NOT NULL CHECK (last_time > 0),
    -- Whether the tenant is served.
    state     text COLLATE "C" NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'closed')),
    -- No key is written that an older version of the wrapping key wrapped.
    min_wrap_version bigint    NOT NULL DEFAULT 1 CHECK (min_wrap_version > 0),
    PRIMARY KEY (tenant)
    -- Each commit writes the row: room on its page keeps the versions together.
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- Bookkeeping that may be written without an entry; the code has the list.
CREATE TABLE notes (
    tenant text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    kind   text COLLATE "C" NOT NULL CHECK (octet_length(kind) BETWEEN 1 AND 64),
    -- One that is behind does not replace one that is ahead.
    ord    bigint           NOT NULL CHECK (ord >= 0),
    body   bytea            NOT NULL CHECK (octet_length(body) <= 1048576),
    at     bigint           NOT NULL CHECK (at > 0),
    PRIMARY KEY (tenant, kind)
);

-- Row-level security, forced on the owner too. A transaction names its tenant
-- with set_config('counterfoil.tenant', name, true). Where it named none the
-- setting is missing or empty; no tenant has an empty name, so there is no row.
-- This catches a statement that forgot its tenant. It is no wall against
-- somebody who has a role's password and may name any tenant.
-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tenants', 'tenant_keys', 'scopes', 'subjects', 'data_keys', 'mappings',
        'mapping_subjects', 'mapping_sources', 'claims', 'entries', 'entry_terms', 'log_nodes', 'log_heads', 'notes']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($p$CREATE POLICY of_tenant ON %I USING (tenant = current_setting('counterfoil.tenant', true))$p$, name);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- The one read that spans tenants: their list, which a service needs to know
-- whom to sweep and whose log to publish. It is this function, which runs as
-- the owner, and nothing of it but these four columns: no role but the owner
-- has a policy without a tenant, and the owner only for these two tables.
CREATE POLICY list_for_owner ON tenants FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY list_for_owner ON log_heads FOR SELECT TO CURRENT_USER USING (true);

-- +goose StatementBegin
CREATE FUNCTION counterfoil_tenants()
RETURNS TABLE (tenant text, created_at bigint, state text, min_wrap_version bigint)
LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
    SELECT t.tenant, t.created_at, h.state, h.min_wrap_version
    FROM tenants AS t JOIN log_heads AS h ON h.tenant = t.tenant
    ORDER BY t.tenant COLLATE "C";
END;
-- +goose StatementEnd

REVOKE ALL ON FUNCTION counterfoil_tenants() FROM PUBLIC;

-- What was logged stays as it was logged. Nobody was granted more than to
-- insert; these triggers stop the owner, who needs no grant. They stop
-- mistakes: an owner can drop them, and that is what the tree is for. The
-- command that prunes old leaves lifts them for itself alone, with
--     SELECT set_config('counterfoil.prune', 'entries', true)
-- as the owner, until the end of that transaction. For anybody else the
-- setting does nothing.
-- +goose StatementBegin
CREATE FUNCTION counterfoil_refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_setting('counterfoil.prune', true) = 'entries' AND current_user = (
        SELECT pg_get_userbyid(c.relowner) FROM pg_class AS c WHERE c.oid = TG_RELID)
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER entries_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_refuse_change();
CREATE TRIGGER entry_terms_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON entry_terms
    FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_refuse_change();
CREATE TRIGGER log_nodes_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON log_nodes
    FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_refuse_change();

-- Entries follow one another. A commit knows its place from the head, which it
-- has locked; this stops whoever inserts without it.
-- +goose StatementBegin
CREATE FUNCTION counterfoil_refuse_gap() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    b record;
BEGIN
    FOR b IN
        SELECT n.tenant, min(n.idx) AS first, max(n.idx) AS last, count(*) AS entries
        FROM inserted AS n GROUP BY n.tenant
    LOOP
        IF b.last - b.first + 1 <> b.entries THEN
            RAISE EXCEPTION 'indexes of entries have no gap';
        END IF;
        PERFORM 1 FROM entries AS e WHERE e.tenant = b.tenant AND e.idx = b.first - 1;
        IF b.first > 0 AND NOT FOUND THEN
            RAISE EXCEPTION 'indexes of entries have no gap';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER entries_no_gap AFTER INSERT ON entries
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_refuse_gap();
