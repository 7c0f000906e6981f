-- +goose Up

-- The same tables as those of the embedded store, see ../sqlite.

-- What people have to come back to, each under the id of the change that opened it.
CREATE TABLE proceedings (
    tenant        text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    proceeding_id text COLLATE "C" NOT NULL CHECK (octet_length(proceeding_id) BETWEEN 1 AND 64),
    kind          text COLLATE "C" NOT NULL CHECK (kind IN ('approval', 'restoration', 'review', 'suspension', 'incident', 'consent',
                                                            'access_review', 'policy')),
    revision      bigint           NOT NULL CHECK (revision > 0),
    state         text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'approved', 'standing', 'done', 'rejected')),
    actor         text COLLATE "C" NOT NULL CHECK (octet_length(actor) BETWEEN 1 AND 256),
    -- The person whom a consent is of, else empty.
    subject_ref   text COLLATE "C" NOT NULL CHECK (octet_length(subject_ref) <= 64),
    due_at        bigint           CHECK (due_at > 0),
    expires_at    bigint           CHECK (expires_at > 0),
    created_at    bigint           NOT NULL CHECK (created_at > 0),
    closed_at     bigint           CHECK (closed_at >= created_at),
    -- JSON: identifiers, digests, counts and times, never a value.
    body          bytea            NOT NULL CHECK (octet_length(body) <= 1048576),
    PRIMARY KEY (tenant, proceeding_id),
    CHECK ((closed_at IS NOT NULL) = (state IN ('done', 'rejected')))
);

CREATE INDEX proceedings_age ON proceedings (tenant, kind, created_at, proceeding_id);
CREATE INDEX proceedings_open ON proceedings (tenant, kind, created_at, proceeding_id) WHERE closed_at IS NULL;
CREATE INDEX proceedings_subject ON proceedings (tenant, subject_ref, proceeding_id) WHERE subject_ref <> '';
CREATE INDEX proceedings_overdue ON proceedings (tenant, actor, due_at) WHERE closed_at IS NULL AND kind = 'review';
-- One policy is in force.
CREATE UNIQUE INDEX proceedings_policy ON proceedings (tenant) WHERE kind = 'policy' AND state = 'standing';

-- What was spent of budgets, by the hour in which it was: the microseconds since
-- 1970 at its beginning.
CREATE TABLE budget_hours (
    tenant text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    budget bytea            NOT NULL CHECK (octet_length(budget) = 32),
    hour   bigint           NOT NULL CHECK (hour > 0),
    spent  bigint           NOT NULL CHECK (spent > 0),
    PRIMARY KEY (tenant, budget, hour)
);

CREATE INDEX budget_hours_age ON budget_hours (tenant, hour);

-- Notices that are to be sent, under the id of the change that they are of.
CREATE TABLE notices (
    tenant     text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    notice_id  text COLLATE "C" NOT NULL CHECK (octet_length(notice_id) BETWEEN 1 AND 64),
    kind       text COLLATE "C" NOT NULL CHECK (octet_length(kind) BETWEEN 1 AND 64),
    body       bytea            NOT NULL CHECK (octet_length(body) <= 8192),
    attempts   bigint           NOT NULL CHECK (attempts >= 0),
    created_at bigint           NOT NULL CHECK (created_at > 0),
    next_at    bigint           NOT NULL CHECK (next_at > 0),
    PRIMARY KEY (tenant, notice_id)
);

CREATE INDEX notices_next ON notices (tenant, next_at, notice_id);

-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['proceedings', 'budget_hours', 'notices']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($p$CREATE POLICY of_tenant ON %I USING (tenant = current_setting('counterfoil.tenant', true))$p$, name);
    END LOOP;
END
$$;
-- +goose StatementEnd
