-- +goose Up

-- Requests of persons, each under the id of the change that opened it.
CREATE TABLE subject_requests (
    tenant             TEXT    NOT NULL REFERENCES tenants (tenant),
    request_id         TEXT    NOT NULL CHECK (octet_length(request_id) BETWEEN 1 AND 64),
    revision           INTEGER NOT NULL CHECK (revision > 0),
    kind               TEXT    NOT NULL CHECK (kind IN ('access', 'erasure', 'restriction', 'objection', 'accounting')),
    regime             TEXT    NOT NULL CHECK (octet_length(regime) BETWEEN 1 AND 64),
    -- NULL where no name was given, and once the request is closed.
    subject            BLOB    CHECK (octet_length(subject) = 32),
    -- Empty until somebody found the person.
    subject_ref        TEXT    NOT NULL CHECK (octet_length(subject_ref) <= 64),
    reference          TEXT    NOT NULL CHECK (octet_length(reference) BETWEEN 1 AND 256),
    state              TEXT    NOT NULL CHECK (state IN ('received', 'awaiting_identity', 'open', 'running', 'deferred',
                                                         'partially_completed', 'completed', 'refused', 'withdrawn')),
    -- Who established how that the person asks, and when; NULL until then.
    identity_method    TEXT    CHECK (octet_length(identity_method) BETWEEN 1 AND 256),
    identity_reference TEXT    CHECK (octet_length(identity_reference) BETWEEN 1 AND 256),
    verified_by        TEXT    CHECK (octet_length(verified_by) BETWEEN 1 AND 256),
    verified_at        INTEGER,
    assignee           TEXT    NOT NULL CHECK (octet_length(assignee) <= 256),
    refusal_code       TEXT    NOT NULL CHECK (octet_length(refusal_code) <= 64),
    extended           INTEGER NOT NULL CHECK (extended IN (0, 1)),
    -- When the clock began, and when it ends.
    received_at        INTEGER NOT NULL CHECK (received_at > 0),
    due_at             INTEGER NOT NULL CHECK (due_at > received_at),
    created_at         INTEGER NOT NULL CHECK (created_at >= received_at),
    closed_at          INTEGER CHECK (closed_at >= created_at),
    PRIMARY KEY (tenant, request_id),
    CHECK ((closed_at IS NOT NULL) = (state IN ('partially_completed', 'completed', 'refused', 'withdrawn'))),
    CHECK (closed_at IS NULL OR subject IS NULL),
    CHECK ((state = 'refused') = (refusal_code <> '')),
    CHECK ((identity_method IS NULL) = (verified_at IS NULL)),
    CHECK ((identity_method IS NULL) = (identity_reference IS NULL)),
    CHECK ((identity_method IS NULL) = (verified_by IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX subject_requests_age ON subject_requests (tenant, received_at, request_id);
CREATE INDEX subject_requests_open ON subject_requests (tenant, received_at, request_id) WHERE closed_at IS NULL;
CREATE INDEX subject_requests_closed ON subject_requests (tenant, closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX subject_requests_subject ON subject_requests (tenant, subject_ref);

-- What the person is known by: look-up digests, until the request is closed.
CREATE TABLE subject_request_lookups (
    tenant     TEXT NOT NULL,
    request_id TEXT NOT NULL,
    lookup     BLOB NOT NULL CHECK (octet_length(lookup) = 32),
    PRIMARY KEY (tenant, request_id, lookup),
    FOREIGN KEY (tenant, request_id) REFERENCES subject_requests (tenant, request_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What was written about a request, sealed under a data key of the request: its
-- subject_ref is the request's id.
CREATE TABLE subject_request_notes (
    tenant     TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    note_id    TEXT    NOT NULL CHECK (octet_length(note_id) BETWEEN 1 AND 64),
    author     TEXT    NOT NULL CHECK (octet_length(author) BETWEEN 1 AND 256),
    key_id     TEXT    NOT NULL CHECK (octet_length(key_id) BETWEEN 1 AND 64),
    sealed     BLOB    NOT NULL CHECK (octet_length(sealed) BETWEEN 1 AND 65536),
    created_at INTEGER NOT NULL CHECK (created_at > 0),
    PRIMARY KEY (tenant, request_id, note_id),
    FOREIGN KEY (tenant, request_id) REFERENCES subject_requests (tenant, request_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX subject_request_notes_key ON subject_request_notes (tenant, key_id);

-- Where a value was sent, and when first and last.
CREATE TABLE mapping_destinations (
    tenant      TEXT    NOT NULL,
    scope_id    TEXT    NOT NULL,
    token_id    TEXT    NOT NULL,
    destination TEXT    NOT NULL CHECK (octet_length(destination) BETWEEN 1 AND 64),
    first_sent  INTEGER NOT NULL CHECK (first_sent > 0),
    last_sent   INTEGER NOT NULL CHECK (last_sent >= first_sent),
    PRIMARY KEY (tenant, scope_id, token_id, destination),
    FOREIGN KEY (tenant, scope_id, token_id) REFERENCES mappings (tenant, scope_id, token_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Holds by destination, by the time of sending, and on backups. The table is
-- made anew, since one of its rules names the criteria.
CREATE TABLE hold_terms_before (tenant TEXT, hold_id TEXT, field TEXT, term BLOB) STRICT;
INSERT INTO hold_terms_before SELECT tenant, hold_id, field, term FROM hold_terms;
DROP TABLE hold_terms;
DROP INDEX holds_standing;
DROP INDEX holds_age;
ALTER TABLE holds RENAME TO holds_before;

CREATE TABLE holds (
    tenant         TEXT    NOT NULL REFERENCES tenants (tenant),
    hold_id        TEXT    NOT NULL CHECK (octet_length(hold_id) BETWEEN 1 AND 64),
    matter         TEXT    NOT NULL CHECK (octet_length(matter) BETWEEN 1 AND 256),
    reference      TEXT    NOT NULL CHECK (octet_length(reference) BETWEEN 1 AND 256),
    custodian      TEXT    NOT NULL CHECK (octet_length(custodian) <= 256),
    -- Which criteria are set: all of them must match, by one of their terms.
    by_subject     INTEGER NOT NULL CHECK (by_subject IN (0, 1)),
    by_lookup      INTEGER NOT NULL CHECK (by_lookup IN (0, 1)),
    by_scope       INTEGER NOT NULL CHECK (by_scope IN (0, 1)),
    by_entity      INTEGER NOT NULL CHECK (by_entity IN (0, 1)),
    by_class       INTEGER NOT NULL CHECK (by_class IN (0, 1)),
    by_destination INTEGER NOT NULL CHECK (by_destination IN (0, 1)),
    -- The bounds are those of when a mapping was sent, not of when it was made.
    by_sent        INTEGER NOT NULL CHECK (by_sent IN (0, 1)),
    -- From, and before to. An open end is 0, or the largest number.
    created_from   INTEGER NOT NULL,
    created_to     INTEGER NOT NULL CHECK (created_to > created_from),
    -- Nor does one match that was made after the hold, where this is set.
    existing_only  INTEGER NOT NULL CHECK (existing_only IN (0, 1)),
    -- No version of the wrapping key is retired while the hold stands.
    backups        INTEGER NOT NULL CHECK (backups IN (0, 1)),
    -- NULL where nobody has to look at it again.
    review_by      INTEGER,
    created_at     INTEGER NOT NULL CHECK (created_at > 0),
    -- NULL while it stands.
    released_at    INTEGER CHECK (released_at >= created_at),
    PRIMARY KEY (tenant, hold_id),
    CHECK (by_subject + by_lookup + by_scope + by_entity + by_class + by_destination > 0
        OR created_from <> 0 OR created_to <> 9223372036854775807)
) STRICT, WITHOUT ROWID;

INSERT INTO holds SELECT tenant, hold_id, matter, reference, custodian, by_subject, by_lookup, by_scope, by_entity, by_class,
    0, 0, created_from, created_to, existing_only, 0, review_by, created_at, released_at FROM holds_before;
DROP TABLE holds_before;

CREATE INDEX holds_standing ON holds (tenant, created_from) WHERE released_at IS NULL;
CREATE INDEX holds_age ON holds (tenant, created_at, hold_id);

CREATE TABLE hold_terms (
    tenant  TEXT NOT NULL,
    hold_id TEXT NOT NULL,
    field   TEXT NOT NULL CHECK (field IN ('subject', 'lookup', 'scope', 'entity', 'class', 'destination')),
    term    BLOB NOT NULL CHECK (octet_length(term) BETWEEN 1 AND 64),
    PRIMARY KEY (tenant, hold_id, field, term),
    FOREIGN KEY (tenant, hold_id) REFERENCES holds (tenant, hold_id),
    CHECK (field IN ('entity', 'class', 'destination') OR octet_length(term) = 32)
) STRICT, WITHOUT ROWID;

INSERT INTO hold_terms SELECT tenant, hold_id, field, term FROM hold_terms_before;
DROP TABLE hold_terms_before;
