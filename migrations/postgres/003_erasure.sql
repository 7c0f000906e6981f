-- +goose Up

-- Erasures of a person, and what is left of the keys that they destroyed. Both
-- tables are of the same shape in the embedded store, see ../sqlite.

-- Who was to be erased, on whose word, and what came of it. Rows are never
-- deleted: an erasure is proved when its data are gone.
CREATE TABLE erasures (
    tenant             text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    -- The id of the change that began it, as it stands in the log.
    erasure_id         text COLLATE "C" NOT NULL CHECK (octet_length(erasure_id) BETWEEN 1 AND 64),
    -- Of the caller's identifier of the person. NULL once it is completed:
    -- nothing says any more who the reference is.
    subject            bytea            CHECK (octet_length(subject) = 32),
    -- Empty where the person was not known.
    subject_ref        text COLLATE "C" NOT NULL CHECK (octet_length(subject_ref) <= 64),
    -- Identifiers of the callers', never free text.
    reference          text COLLATE "C" NOT NULL CHECK (octet_length(reference) BETWEEN 1 AND 256),
    regime             text COLLATE "C" NOT NULL CHECK (octet_length(regime) BETWEEN 1 AND 256),
    identity_method    text COLLATE "C" NOT NULL CHECK (octet_length(identity_method) BETWEEN 1 AND 256),
    identity_reference text COLLATE "C" NOT NULL CHECK (octet_length(identity_reference) BETWEEN 1 AND 256),
    verified_by        text COLLATE "C" NOT NULL CHECK (octet_length(verified_by) BETWEEN 1 AND 256),
    verified_at        bigint           NOT NULL,
    state              text COLLATE "C" NOT NULL CHECK (state IN ('deferred', 'completed')),
    -- Of the first commit: nothing that was made after it is touched.
    erased_at          bigint           NOT NULL CHECK (erased_at > 0),
    -- NULL while a hold defers a part.
    completed_at       bigint           CHECK (completed_at >= erased_at),
    -- Of all commits together; deferred is as it was after the last.
    erased             bigint           NOT NULL CHECK (erased >= 0),
    shared             bigint           NOT NULL CHECK (shared >= 0),
    deferred           bigint           NOT NULL CHECK (deferred >= 0),
    keys               bigint           NOT NULL CHECK (keys >= 0),
    rekeyed            bigint           NOT NULL CHECK (rekeyed >= 0),
    PRIMARY KEY (tenant, erasure_id),
    CHECK ((completed_at IS NULL) = (state = 'deferred')),
    CHECK ((subject IS NULL) = (state = 'completed'))
);

CREATE INDEX erasures_age ON erasures (tenant, erased_at, erasure_id);
-- Those that go on once a hold is released.
CREATE INDEX erasures_deferred ON erasures (tenant, erased_at, erasure_id) WHERE state = 'deferred';

-- Data keys that an erasure destroyed. What one of them sealed is erased,
-- whatever else its row says, in this database and in any older copy of it that
-- is brought up to date with these rows. They are never deleted.
CREATE TABLE tombstones (
    tenant     text COLLATE "C" NOT NULL,
    key_id     text COLLATE "C" NOT NULL CHECK (octet_length(key_id) BETWEEN 1 AND 64),
    erasure_id text COLLATE "C" NOT NULL,
    erased_at  bigint           NOT NULL CHECK (erased_at > 0),
    -- NULL while rows of what it sealed are there.
    swept_at   bigint           CHECK (swept_at >= erased_at),
    PRIMARY KEY (tenant, key_id),
    FOREIGN KEY (tenant, erasure_id) REFERENCES erasures (tenant, erasure_id)
);

CREATE INDEX tombstones_unswept ON tombstones (tenant, erased_at, key_id) WHERE swept_at IS NULL;

-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['erasures', 'tombstones']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($p$CREATE POLICY of_tenant ON %I USING (tenant = current_setting('counterfoil.tenant', true))$p$, name);
    END LOOP;
END
$$;
-- +goose StatementEnd
