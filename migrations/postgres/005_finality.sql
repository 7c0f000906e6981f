-- +goose Up

-- The oldest version of the wrapping key that was not retired.
ALTER TABLE log_heads ADD COLUMN retired_below bigint NOT NULL DEFAULT 1 CHECK (retired_below > 0);

-- Until when what was erased is kept out; NULL: not at all. And when nothing
-- opens it any more, no backup either; NULL until that is said.
ALTER TABLE erasures
    ADD COLUMN suppress_until bigint,
    ADD COLUMN final_at bigint CHECK (final_at > 0);

-- Who has a deferred erasure is not forgotten.
CREATE INDEX erasures_waiting ON erasures (tenant, subject_ref) WHERE state = 'deferred';
CREATE INDEX erasures_not_final ON erasures (tenant, erased_at, erasure_id) WHERE final_at IS NULL;

ALTER TABLE tombstones
    -- Which version wrapped a key when it was destroyed: 0 for those that were
    -- before this was kept, which count as wrapped by the newest.
    ADD COLUMN wrap_version bigint NOT NULL DEFAULT 0 CHECK (wrap_version >= 0),
    -- It sealed what stayed, too, and that was sealed anew.
    ADD COLUMN rekeyed boolean NOT NULL DEFAULT true;

CREATE INDEX tombstones_age ON tombstones (tenant, erased_at, key_id);
CREATE INDEX tombstones_erasure ON tombstones (tenant, erasure_id);

-- Where what was erased had been sent.
CREATE TABLE erasure_destinations (
    tenant      text COLLATE "C" NOT NULL,
    erasure_id  text COLLATE "C" NOT NULL,
    destination text COLLATE "C" NOT NULL CHECK (octet_length(destination) BETWEEN 1 AND 64),
    mappings    bigint           NOT NULL CHECK (mappings > 0),
    first_sent  bigint           NOT NULL CHECK (first_sent > 0),
    last_sent   bigint           NOT NULL CHECK (last_sent >= first_sent),
    PRIMARY KEY (tenant, erasure_id, destination),
    FOREIGN KEY (tenant, erasure_id) REFERENCES erasures (tenant, erasure_id)
);

-- Entities of an erasure that suppresses whose values many people share.
CREATE TABLE erasure_common (
    tenant     text COLLATE "C" NOT NULL,
    erasure_id text COLLATE "C" NOT NULL,
    entity     text COLLATE "C" NOT NULL CHECK (octet_length(entity) BETWEEN 1 AND 64),
    PRIMARY KEY (tenant, erasure_id, entity),
    FOREIGN KEY (tenant, erasure_id) REFERENCES erasures (tenant, erasure_id)
);

-- Look-up digests of what was erased and is kept out. Until the rows of what was
-- erased are swept, they say so themselves; a sweep writes these.
CREATE TABLE suppressions (
    tenant text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    lookup bytea            NOT NULL CHECK (octet_length(lookup) = 32),
    -- The digest of a scope's name: only there. 32 zero bytes: everywhere.
    scope  bytea            NOT NULL CHECK (octet_length(scope) = 32),
    until  bigint           NOT NULL CHECK (until > 0),
    PRIMARY KEY (tenant, lookup, scope)
);

CREATE INDEX suppressions_age ON suppressions (tenant, until);

-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['erasure_destinations', 'erasure_common', 'suppressions']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($p$CREATE POLICY of_tenant ON %I USING (tenant = current_setting('counterfoil.tenant', true))$p$, name);
    END LOOP;
END
$$;
-- +goose StatementEnd
