-- +goose Up

-- The same as in the embedded store, see ../sqlite.

-- What entries are searched by besides.
ALTER TABLE entry_terms DROP CONSTRAINT entry_terms_field_check;
ALTER TABLE entry_terms ADD CONSTRAINT entry_terms_field_check CHECK (field IN (
    'actor', 'approver', 'class', 'client', 'decision', 'destination', 'enduser', 'entity', 'kind', 'policy', 'reason',
    'reference', 'request', 'scope', 'subject', 'token'));

-- What a leaf gives of it.
-- +goose StatementBegin
CREATE FUNCTION counterfoil_terms(leaf bytea) RETURNS TABLE (field text, term text)
LANGUAGE sql IMMUTABLE
AS $$
    SELECT DISTINCT f.field, f.term
    FROM (SELECT convert_from(leaf, 'UTF8')::jsonb AS entry OFFSET 0) AS l -- read once
    CROSS JOIN LATERAL (
        SELECT v.field, v.term FROM (VALUES
            ('client', l.entry -> 'client' ->> 'client_id'), ('destination', l.entry ->> 'destination'),
            ('enduser', l.entry ->> 'on_behalf_of'), ('policy', l.entry ->> 'policy_version'),
            ('reference', l.entry ->> 'reference'),
            ('approver', CASE WHEN l.entry ->> 'kind' = 'approval_decide' THEN l.entry ->> 'actor' END)) AS v (field, term)
        UNION ALL SELECT p.field, substr(o.term, length(p.field) + 2)
            FROM jsonb_array_elements_text(l.entry -> 'obligations') AS o (term)
            JOIN (VALUES ('approver'), ('class'), ('destination')) AS p (field) ON o.term LIKE p.field || ':%'
        UNION ALL SELECT 'scope', jsonb_array_elements_text(l.entry -> 'scope_refs')
        UNION ALL SELECT 'subject', jsonb_array_elements_text(l.entry -> 'subject_refs')
    ) AS f
    WHERE f.term <> '';
$$;
-- +goose StatementEnd

-- Replicas of the version before go on until they are replaced, and their entries are
-- searched by it too: they do not say that they write these terms themselves.
-- +goose StatementBegin
CREATE FUNCTION counterfoil_terms_of_before() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_setting('counterfoil.terms', true) IS DISTINCT FROM '7' THEN
        INSERT INTO entry_terms (tenant, field, term, idx)
        SELECT e.tenant, f.field, f.term, e.idx FROM inserted AS e CROSS JOIN LATERAL counterfoil_terms(e.leaf) AS f
        WHERE e.leaf IS NOT NULL;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER entries_terms_of_before AFTER INSERT ON entries
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_terms_of_before();

-- The entries that stand are searched by it too. The tenants one by one: the rows of
-- each are behind its name. It takes about fifty seconds for 10^5 entries, on two busy
-- cores, in which nothing is committed.
-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT t.tenant FROM tenants AS t LOOP
        PERFORM set_config('counterfoil.tenant', name, true);
        INSERT INTO entry_terms (tenant, field, term, idx)
        SELECT e.tenant, f.field, f.term, e.idx FROM entries AS e CROSS JOIN LATERAL counterfoil_terms(e.leaf) AS f
        WHERE e.tenant = name AND e.leaf IS NOT NULL;
    END LOOP;
    PERFORM set_config('counterfoil.tenant', '', true);
END
$$;
-- +goose StatementEnd

-- What the owner takes out of the log are leaf bytes, and then what they were
-- searched by. Until now the setting lifted all guards; from here on it opens these
-- two statements, and of each row no more is changed, and nothing before an entry
-- says that it is. Whether that entry names this row is asked by the pruner.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION counterfoil_refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_setting('counterfoil.prune', true) = 'entries'
        AND (TG_TABLE_NAME = 'entries' AND TG_OP = 'UPDATE' OR TG_TABLE_NAME = 'entry_terms' AND TG_OP = 'DELETE')
        AND current_user = (SELECT pg_get_userbyid(c.relowner) FROM pg_class AS c WHERE c.oid = TG_RELID)
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION counterfoil_only_leaf() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.leaf IS NOT NULL
        OR (NEW.tenant, NEW.idx, NEW.leaf_hash, NEW.time, NEW.change_id, NEW.seq)
            IS DISTINCT FROM (OLD.tenant, OLD.idx, OLD.leaf_hash, OLD.time, OLD.change_id, OLD.seq)
        OR NOT EXISTS (SELECT 1 FROM entry_terms AS t WHERE t.tenant = OLD.tenant AND t.field = 'kind' AND t.term = 'prune')
    THEN
        RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION counterfoil_only_pruned() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM entries AS e WHERE e.tenant = OLD.tenant AND e.idx = OLD.idx AND e.leaf IS NULL) THEN
        RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER entries_only_leaf BEFORE UPDATE ON entries FOR EACH ROW EXECUTE FUNCTION counterfoil_only_leaf();
CREATE TRIGGER entry_terms_only_pruned BEFORE DELETE ON entry_terms FOR EACH ROW EXECUTE FUNCTION counterfoil_only_pruned();

-- How the log key before a log key vouched for it.
ALTER TABLE tenant_keys ADD COLUMN handover text COLLATE "C" NOT NULL DEFAULT ''
    CHECK (octet_length(handover) <= 8192 AND (handover = '' OR (purpose = 'log' AND version > 1)));

-- People also ask for the evidence of a period.
ALTER TABLE proceedings DROP CONSTRAINT proceedings_kind_check;
ALTER TABLE proceedings ADD CONSTRAINT proceedings_kind_check CHECK (kind IN (
    'approval', 'restoration', 'review', 'suspension', 'incident', 'consent', 'access_review', 'policy', 'evidence'));
