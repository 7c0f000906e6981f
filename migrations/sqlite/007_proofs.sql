-- +goose Up

-- What entries are searched by besides. SQLite cannot change a check: the table is
-- made anew.
-- +goose StatementBegin
DROP TRIGGER entry_terms_no_update;
-- +goose StatementEnd
-- +goose StatementBegin
DROP TRIGGER entry_terms_no_delete;
-- +goose StatementEnd
DROP INDEX entry_terms_entry;
ALTER TABLE entry_terms RENAME TO entry_terms_before;

CREATE TABLE entry_terms (
    tenant TEXT    NOT NULL,
    field  TEXT    NOT NULL CHECK (field IN (
        'actor', 'approver', 'class', 'client', 'decision', 'destination', 'enduser', 'entity', 'kind', 'policy', 'reason',
        'reference', 'request', 'scope', 'subject', 'token')),
    term   TEXT    NOT NULL CHECK (octet_length(term) BETWEEN 1 AND 256),
    idx    INTEGER NOT NULL,
    PRIMARY KEY (tenant, field, term, idx),
    FOREIGN KEY (tenant, idx) REFERENCES entries (tenant, idx)
) STRICT, WITHOUT ROWID;

INSERT INTO entry_terms (tenant, field, term, idx)
SELECT b.tenant, b.field, b.term, b.idx FROM entry_terms_before AS b;

-- The entries that stand are searched by it too.
INSERT INTO entry_terms (tenant, field, term, idx)
SELECT DISTINCT f.tenant, f.field, f.term, f.idx FROM (
    SELECT e.tenant, e.idx, 'client' AS field, CAST(e.leaf AS TEXT) ->> '$.client.client_id' AS term FROM entries AS e
    UNION ALL SELECT e.tenant, e.idx, 'destination', CAST(e.leaf AS TEXT) ->> '$.destination' FROM entries AS e
    UNION ALL SELECT e.tenant, e.idx, 'enduser', CAST(e.leaf AS TEXT) ->> '$.on_behalf_of' FROM entries AS e
    UNION ALL SELECT e.tenant, e.idx, 'policy', CAST(e.leaf AS TEXT) ->> '$.policy_version' FROM entries AS e
    UNION ALL SELECT e.tenant, e.idx, 'reference', CAST(e.leaf AS TEXT) ->> '$.reference' FROM entries AS e
    UNION ALL SELECT e.tenant, e.idx, 'approver', CAST(e.leaf AS TEXT) ->> '$.actor' FROM entries AS e
        WHERE CAST(e.leaf AS TEXT) ->> '$.kind' = 'approval_decide'
    UNION ALL SELECT e.tenant, e.idx, 'destination', substr(j.value, length('destination:') + 1)
        FROM entries AS e, json_each(CAST(e.leaf AS TEXT), '$.obligations') AS j WHERE j.value LIKE 'destination:%'
    UNION ALL SELECT e.tenant, e.idx, 'scope', j.value FROM entries AS e, json_each(CAST(e.leaf AS TEXT), '$.scope_refs') AS j
    UNION ALL SELECT e.tenant, e.idx, 'subject', j.value FROM entries AS e, json_each(CAST(e.leaf AS TEXT), '$.subject_refs') AS j
) AS f
WHERE f.term IS NOT NULL AND f.term <> '';

DROP TABLE entry_terms_before;

CREATE INDEX entry_terms_entry ON entry_terms (tenant, idx);

-- +goose StatementBegin
CREATE TRIGGER entry_terms_no_update BEFORE UPDATE ON entry_terms
BEGIN SELECT RAISE(ABORT, 'terms of entries are never changed'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER entry_terms_no_delete BEFORE DELETE ON entry_terms
BEGIN SELECT RAISE(ABORT, 'terms of entries are never deleted'); END;
-- +goose StatementEnd

-- How the log key before a log key vouched for it.
ALTER TABLE tenant_keys ADD COLUMN handover TEXT NOT NULL DEFAULT ''
    CHECK (octet_length(handover) <= 8192 AND (handover = '' OR (purpose = 'log' AND version > 1)));

-- People also ask for the evidence of a period.
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
                                                   'access_review', 'policy', 'evidence')),
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
