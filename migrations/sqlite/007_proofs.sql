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
SELECT b.tenant, b.field, b.term, b.idx FROM entry_terms_before AS b
ORDER BY b.tenant, b.field, b.term, b.idx;

-- The entries that stand are searched by it too. Each leaf is read once. Versions of
-- SQLite quote a name with an underscore in a path, or do not. It takes about twenty
-- seconds for 10^5 entries, on two busy cores.
INSERT INTO entry_terms (tenant, field, term, idx)
WITH found (tenant, idx, field, term) AS MATERIALIZED (
    SELECT e.tenant, e.idx, CASE j.path
            WHEN '$' THEN CASE j.key
                WHEN 'destination' THEN 'destination'
                WHEN 'on_behalf_of' THEN 'enduser'
                WHEN 'policy_version' THEN 'policy'
                WHEN 'reference' THEN 'reference'
                WHEN 'actor' THEN iif(CAST(e.leaf AS TEXT) ->> '$.kind' = 'approval_decide', 'approver', NULL)
            END
            WHEN '$.client' THEN iif(j.key = 'client_id', 'client', NULL)
            WHEN '$.scope_refs' THEN 'scope'
            WHEN '$."scope_refs"' THEN 'scope'
            WHEN '$.subject_refs' THEN 'subject'
            WHEN '$."subject_refs"' THEN 'subject'
            WHEN '$.obligations' THEN CASE substr(j.value, 1, instr(j.value, ':'))
                WHEN 'approver:' THEN 'approver' WHEN 'class:' THEN 'class' WHEN 'destination:' THEN 'destination'
            END
        END,
        CASE j.path WHEN '$.obligations' THEN substr(j.value, instr(j.value, ':') + 1) ELSE j.value END
    FROM entries AS e CROSS JOIN json_tree(CAST(e.leaf AS TEXT)) AS j
    WHERE e.leaf IS NOT NULL AND j.type = 'text')
SELECT f.tenant, f.field, f.term, f.idx FROM found AS f
WHERE f.field IS NOT NULL AND f.term <> ''
ORDER BY f.tenant, f.field, f.term, f.idx
ON CONFLICT (tenant, field, term, idx) DO NOTHING; -- an entry may name something twice

DROP TABLE entry_terms_before;

CREATE INDEX entry_terms_entry ON entry_terms (tenant, idx);

-- +goose StatementBegin
CREATE TRIGGER entry_terms_no_update BEFORE UPDATE ON entry_terms
BEGIN SELECT RAISE(ABORT, 'terms of entries are never changed'); END;
-- +goose StatementEnd

-- What retention takes out of the log are leaf bytes, and then what they were
-- searched by: nothing else is changed, and nothing before an entry says that it is.
-- Whether that entry names this one is asked by the pruner, the only one to do so.
-- +goose StatementBegin
CREATE TRIGGER entry_terms_no_delete BEFORE DELETE ON entry_terms
WHEN NOT EXISTS (SELECT 1 FROM entries AS e WHERE e.tenant = OLD.tenant AND e.idx = OLD.idx AND e.leaf IS NULL)
BEGIN SELECT RAISE(ABORT, 'terms of entries are never deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
DROP TRIGGER entries_no_update;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries
WHEN NEW.leaf IS NOT NULL OR NEW.tenant IS NOT OLD.tenant OR NEW.idx IS NOT OLD.idx OR NEW.leaf_hash IS NOT OLD.leaf_hash
    OR NEW.time IS NOT OLD.time OR NEW.change_id IS NOT OLD.change_id OR NEW.seq IS NOT OLD.seq
    OR NOT EXISTS (SELECT 1 FROM entry_terms AS t WHERE t.tenant = OLD.tenant AND t.field = 'kind' AND t.term = 'prune')
BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
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
