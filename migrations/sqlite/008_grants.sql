-- +goose Up

-- Streams go by grants. SQLite cannot change a check: the table is made anew.
DROP INDEX proceedings_age;
DROP INDEX proceedings_open;
DROP INDEX proceedings_subject;
DROP INDEX proceedings_overdue;
DROP INDEX proceedings_policy;
ALTER TABLE proceedings RENAME TO proceedings_before;

CREATE TABLE proceedings (
    tenant        TEXT    NOT NULL REFERENCES tenants (tenant),
    proceeding_id TEXT    NOT NULL CHECK (octet_length(proceeding_id) BETWEEN 1 AND 64),
    kind          TEXT    NOT NULL CHECK (kind IN ('approval', 'restoration', 'review', 'suspension', 'incident', 'consent',
                                                   'access_review', 'policy', 'evidence', 'grant')),
    revision      INTEGER NOT NULL CHECK (revision > 0),
    state         TEXT    NOT NULL CHECK (state IN ('pending', 'approved', 'standing', 'done', 'rejected')),
    actor         TEXT    NOT NULL CHECK (octet_length(actor) BETWEEN 1 AND 256),
    -- The person whom a consent is of, else empty.
    subject_ref   TEXT    NOT NULL CHECK (octet_length(subject_ref) <= 64),
    due_at        INTEGER CHECK (due_at > 0),
    expires_at    INTEGER CHECK (expires_at > 0),
    created_at    INTEGER NOT NULL CHECK (created_at > 0),
    closed_at     INTEGER CHECK (closed_at >= created_at),
    -- JSON: identifiers, digests, counts and times, never a value.
    body          BLOB    NOT NULL CHECK (octet_length(body) <= 1048576),
    PRIMARY KEY (tenant, proceeding_id),
    CHECK ((closed_at IS NOT NULL) = (state IN ('done', 'rejected')))
) STRICT;

INSERT INTO proceedings (tenant, proceeding_id, kind, revision, state, actor, subject_ref, due_at, expires_at, created_at, closed_at, body)
SELECT b.tenant, b.proceeding_id, b.kind, b.revision, b.state, b.actor, b.subject_ref, b.due_at, b.expires_at, b.created_at,
       b.closed_at, b.body
FROM proceedings_before AS b;

DROP TABLE proceedings_before;

CREATE INDEX proceedings_age ON proceedings (tenant, kind, created_at, proceeding_id);
CREATE INDEX proceedings_open ON proceedings (tenant, kind, created_at, proceeding_id) WHERE closed_at IS NULL;
CREATE INDEX proceedings_subject ON proceedings (tenant, subject_ref, proceeding_id) WHERE subject_ref <> '';
CREATE INDEX proceedings_overdue ON proceedings (tenant, actor, due_at) WHERE closed_at IS NULL AND kind = 'review';
-- One policy is in force.
CREATE UNIQUE INDEX proceedings_policy ON proceedings (tenant) WHERE kind = 'policy' AND state = 'standing';

-- What of a scope can be restored is found beside however much cannot.
CREATE INDEX mappings_alive ON mappings (tenant, scope_id, expires_at) WHERE state = 'live';

-- Which values a grant gave, each once. No foreign key ties a use to its mapping:
-- what was given was given, also once the mapping is gone.
CREATE TABLE grant_uses (
    tenant   TEXT    NOT NULL REFERENCES tenants (tenant),
    grant_id TEXT    NOT NULL CHECK (octet_length(grant_id) BETWEEN 1 AND 64),
    scope_id TEXT    NOT NULL CHECK (octet_length(scope_id) BETWEEN 1 AND 64),
    token_id TEXT    NOT NULL CHECK (octet_length(token_id) BETWEEN 1 AND 64),
    -- Whether the grant does not name it. Those that it does not are counted.
    drawn    INTEGER NOT NULL CHECK (drawn IN (0, 1)),
    PRIMARY KEY (tenant, grant_id, scope_id, token_id)
) STRICT, WITHOUT ROWID;
