-- +goose Up

-- Legal holds: nothing that one matches is destroyed until it is released.
-- Both tables are of the same shape in the embedded store, see ../sqlite.

-- A hold is judged at the moment of destruction, so a row says what it is
-- about and never which mappings that are. Every criterion that is set must
-- fit, and of its terms any. Rows are never deleted: who held what, and until
-- when, is asked years later.
CREATE TABLE holds (
    tenant        text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    -- The id of the change that placed it, as it stands in the log.
    hold_id       text COLLATE "C" NOT NULL CHECK (octet_length(hold_id) BETWEEN 1 AND 64),
    -- Identifiers of the callers', never free text.
    matter        text COLLATE "C" NOT NULL CHECK (octet_length(matter) BETWEEN 1 AND 256),
    reference     text COLLATE "C" NOT NULL CHECK (octet_length(reference) BETWEEN 1 AND 256),
    custodian     text COLLATE "C" NOT NULL CHECK (octet_length(custodian) <= 256),
    -- Which criteria are set: those that hold_terms has terms for.
    by_subject    boolean          NOT NULL,
    by_lookup     boolean          NOT NULL,
    by_scope      boolean          NOT NULL,
    by_entity     boolean          NOT NULL,
    by_class      boolean          NOT NULL,
    -- When a mapping was made that it is about: [from, to). An end that is
    -- open is 0, or the largest number.
    created_from  bigint           NOT NULL,
    created_to    bigint           NOT NULL CHECK (created_to > created_from),
    -- Nothing that was made after the hold. It is a bound of its own beside
    -- created_to, which stays as the caller set it.
    existing_only boolean          NOT NULL,
    -- NULL where nobody has to look again.
    review_by     bigint,
    created_at    bigint           NOT NULL CHECK (created_at > 0),
    -- NULL while it stands.
    released_at   bigint           CHECK (released_at >= created_at),
    PRIMARY KEY (tenant, hold_id),
    CHECK (by_subject OR by_lookup OR by_scope OR by_entity OR by_class
        OR created_from <> 0 OR created_to <> 9223372036854775807)
);

CREATE INDEX holds_age ON holds (tenant, created_at, hold_id);
-- What destroys asks it for every row: with no standing hold it is empty. Where
-- a table is small, so that any index would do, the planner takes the youngest.
CREATE INDEX holds_standing ON holds (tenant, created_to) WHERE released_at IS NULL;

-- What a hold is about: digests of subjects, of values and of the names of
-- scopes; entities and classes as the bytes of their names. The order of the
-- key is that of the question whether one term is among them.
CREATE TABLE hold_terms (
    tenant  text COLLATE "C" NOT NULL,
    hold_id text COLLATE "C" NOT NULL,
    field   text COLLATE "C" NOT NULL CHECK (field IN ('subject', 'lookup', 'scope', 'entity', 'class')),
    term    bytea            NOT NULL CHECK (octet_length(term) BETWEEN 1 AND 64),
    PRIMARY KEY (tenant, hold_id, field, term),
    FOREIGN KEY (tenant, hold_id) REFERENCES holds (tenant, hold_id),
    CHECK (field IN ('entity', 'class') OR octet_length(term) = 32)
);

-- What a hold keeps in scopes that have ended is found by the name of these,
-- which scopes_living does not have any more.
CREATE INDEX scopes_digest ON scopes (tenant, digest, created_at);

-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['holds', 'hold_terms']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($p$CREATE POLICY of_tenant ON %I USING (tenant = current_setting('counterfoil.tenant', true))$p$, name);
    END LOOP;
END
$$;
-- +goose StatementEnd
