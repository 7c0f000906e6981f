-- +goose Up

-- The same tables as those of the embedded store, see ../sqlite.

-- Requests of persons, each under the id of the change that opened it.
CREATE TABLE subject_requests (
    tenant             text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    request_id         text COLLATE "C" NOT NULL CHECK (octet_length(request_id) BETWEEN 1 AND 64),
    revision           bigint           NOT NULL CHECK (revision > 0),
    kind               text COLLATE "C" NOT NULL CHECK (kind IN ('access', 'erasure', 'restriction', 'objection', 'accounting')),
    regime             text COLLATE "C" NOT NULL CHECK (octet_length(regime) BETWEEN 1 AND 64),
    -- NULL where no name was given, and once the request is closed.
    subject            bytea            CHECK (octet_length(subject) = 32),
    -- Empty until somebody found the person.
    subject_ref        text COLLATE "C" NOT NULL CHECK (octet_length(subject_ref) <= 64),
    reference          text COLLATE "C" NOT NULL CHECK (octet_length(reference) BETWEEN 1 AND 256),
    state              text COLLATE "C" NOT NULL CHECK (state IN ('received', 'awaiting_identity', 'open', 'running', 'deferred',
                                                                  'partially_completed', 'completed', 'refused', 'withdrawn')),
    -- Who established how that the person asks, and when; NULL until then.
    identity_method    text COLLATE "C" CHECK (octet_length(identity_method) BETWEEN 1 AND 256),
    identity_reference text COLLATE "C" CHECK (octet_length(identity_reference) BETWEEN 1 AND 256),
    verified_by        text COLLATE "C" CHECK (octet_length(verified_by) BETWEEN 1 AND 256),
    verified_at        bigint,
    assignee           text COLLATE "C" NOT NULL CHECK (octet_length(assignee) <= 256),
    refusal_code       text COLLATE "C" NOT NULL CHECK (octet_length(refusal_code) <= 64),
    extended           boolean          NOT NULL,
    -- When the clock began, and when it ends.
    received_at        bigint           NOT NULL CHECK (received_at > 0),
    due_at             bigint           NOT NULL CHECK (due_at > received_at),
    created_at         bigint           NOT NULL CHECK (created_at >= received_at),
    closed_at          bigint           CHECK (closed_at >= created_at),
    PRIMARY KEY (tenant, request_id),
    CHECK ((closed_at IS NOT NULL) = (state IN ('partially_completed', 'completed', 'refused', 'withdrawn'))),
    CHECK (closed_at IS NULL OR subject IS NULL),
    CHECK ((state = 'refused') = (refusal_code <> '')),
    CHECK ((identity_method IS NULL) = (verified_at IS NULL)),
    CHECK ((identity_method IS NULL) = (identity_reference IS NULL)),
    CHECK ((identity_method IS NULL) = (verified_by IS NULL))
);

CREATE INDEX subject_requests_age ON subject_requests (tenant, received_at, request_id);
CREATE INDEX subject_requests_open ON subject_requests (tenant, received_at, request_id) WHERE closed_at IS NULL;
CREATE INDEX subject_requests_closed ON subject_requests (tenant, closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX subject_requests_subject ON subject_requests (tenant, subject_ref);

-- What the person is known by: look-up digests, until the request is closed.
CREATE TABLE subject_request_lookups (
    tenant     text COLLATE "C" NOT NULL,
    request_id text COLLATE "C" NOT NULL,
    lookup     bytea            NOT NULL CHECK (octet_length(lookup) = 32),
    PRIMARY KEY (tenant, request_id, lookup),
    FOREIGN KEY (tenant, request_id) REFERENCES subject_requests (tenant, request_id) ON DELETE CASCADE
);

-- What was written about a request, sealed under a data key of the request: its
-- subject_ref is the request's id.
CREATE TABLE subject_request_notes (
    tenant     text COLLATE "C" NOT NULL,
    request_id text COLLATE "C" NOT NULL,
    note_id    text COLLATE "C" NOT NULL CHECK (octet_length(note_id) BETWEEN 1 AND 64),
    author     text COLLATE "C" NOT NULL CHECK (octet_length(author) BETWEEN 1 AND 256),
    key_id     text COLLATE "C" NOT NULL CHECK (octet_length(key_id) BETWEEN 1 AND 64),
    sealed     bytea            NOT NULL CHECK (octet_length(sealed) BETWEEN 1 AND 65536),
    created_at bigint           NOT NULL CHECK (created_at > 0),
    PRIMARY KEY (tenant, request_id, note_id),
    FOREIGN KEY (tenant, request_id) REFERENCES subject_requests (tenant, request_id) ON DELETE CASCADE
);

CREATE INDEX subject_request_notes_key ON subject_request_notes (tenant, key_id);

-- Where a value was sent, and when first and last.
CREATE TABLE mapping_destinations (
    tenant      text COLLATE "C" NOT NULL,
    scope_id    text COLLATE "C" NOT NULL,
    token_id    text COLLATE "C" NOT NULL,
    destination text COLLATE "C" NOT NULL CHECK (octet_length(destination) BETWEEN 1 AND 64),
    first_sent  bigint           NOT NULL CHECK (first_sent > 0),
    last_sent   bigint           NOT NULL CHECK (last_sent >= first_sent),
    PRIMARY KEY (tenant, scope_id, token_id, destination),
    FOREIGN KEY (tenant, scope_id, token_id) REFERENCES mappings (tenant, scope_id, token_id) ON DELETE CASCADE
);

-- Holds by destination, by the time of sending, and on backups. The names of
-- what is dropped are those that PostgreSQL gives to unnamed rules.
ALTER TABLE holds
    ADD COLUMN by_destination boolean NOT NULL DEFAULT false,
    -- The bounds are those of when a mapping was sent, not of when it was made.
    ADD COLUMN by_sent boolean NOT NULL DEFAULT false,
    -- No version of the wrapping key is retired while the hold stands.
    ADD COLUMN backups boolean NOT NULL DEFAULT false;

-- +goose StatementBegin
DO $$
DECLARE
    rule text;
BEGIN
    FOR rule IN
        SELECT conname FROM pg_constraint WHERE conrelid = 'holds'::regclass AND contype = 'c'
            AND pg_get_constraintdef(oid) LIKE '%by_subject%'
    LOOP
        EXECUTE format('ALTER TABLE holds DROP CONSTRAINT %I', rule);
    END LOOP;
    FOR rule IN
        SELECT conname FROM pg_constraint WHERE conrelid = 'hold_terms'::regclass AND contype = 'c'
            AND pg_get_constraintdef(oid) LIKE '%field%'
    LOOP
        EXECUTE format('ALTER TABLE hold_terms DROP CONSTRAINT %I', rule);
    END LOOP;
END
$$;
-- +goose StatementEnd

ALTER TABLE holds ADD CONSTRAINT holds_about_something CHECK (
    by_subject OR by_lookup OR by_scope OR by_entity OR by_class OR by_destination
        OR created_from <> 0 OR created_to <> 9223372036854775807);
ALTER TABLE hold_terms
    ADD CONSTRAINT hold_terms_field CHECK (field IN ('subject', 'lookup', 'scope', 'entity', 'class', 'destination')),
    ADD CONSTRAINT hold_terms_digest CHECK (field IN ('entity', 'class', 'destination') OR octet_length(term) = 32);

-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['subject_requests', 'subject_request_lookups', 'subject_request_notes', 'mapping_destinations']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($p$CREATE POLICY of_tenant ON %I USING (tenant = current_setting('counterfoil.tenant', true))$p$, name);
    END LOOP;
END
$$;
-- +goose StatementEnd
