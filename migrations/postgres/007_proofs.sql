-- +goose Up

-- The same as in the embedded store, see ../sqlite.

-- What entries are searched by besides.
ALTER TABLE entry_terms DROP CONSTRAINT entry_terms_field_check;
ALTER TABLE entry_terms ADD CONSTRAINT entry_terms_field_check CHECK (field IN (
    'actor', 'approver', 'class', 'client', 'decision', 'destination', 'enduser', 'entity', 'kind', 'policy', 'reason',
    'reference', 'request', 'scope', 'subject', 'token'));

-- The entries that stand are searched by it too. The tenants one by one: the rows of
-- each are behind its name.
-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT t.tenant FROM tenants AS t LOOP
        PERFORM set_config('counterfoil.tenant', name, true);
        INSERT INTO entry_terms (tenant, field, term, idx)
        SELECT DISTINCT e.tenant, f.field, f.term, e.idx
        FROM entries AS e
        CROSS JOIN LATERAL (SELECT convert_from(e.leaf, 'UTF8')::jsonb AS entry) AS l
        CROSS JOIN LATERAL (
            SELECT v.field, v.term FROM (VALUES
                ('client', l.entry -> 'client' ->> 'client_id'), ('destination', l.entry ->> 'destination'),
                ('enduser', l.entry ->> 'on_behalf_of'), ('policy', l.entry ->> 'policy_version'),
                ('reference', l.entry ->> 'reference'),
                ('approver', CASE WHEN l.entry ->> 'kind' = 'approval_decide' THEN l.entry ->> 'actor' END)) AS v (field, term)
            UNION ALL SELECT 'destination', substr(o.term, length('destination:') + 1)
                FROM jsonb_array_elements_text(l.entry -> 'obligations') AS o (term) WHERE o.term LIKE 'destination:%'
            UNION ALL SELECT 'scope', jsonb_array_elements_text(l.entry -> 'scope_refs')
            UNION ALL SELECT 'subject', jsonb_array_elements_text(l.entry -> 'subject_refs')
        ) AS f
        WHERE e.leaf IS NOT NULL AND f.term IS NOT NULL AND f.term <> '';
    END LOOP;
    PERFORM set_config('counterfoil.tenant', '', true);
END
$$;
-- +goose StatementEnd

-- How the log key before a log key vouched for it.
ALTER TABLE tenant_keys ADD COLUMN handover text COLLATE "C" NOT NULL DEFAULT ''
    CHECK (octet_length(handover) <= 8192 AND (handover = '' OR (purpose = 'log' AND version > 1)));

-- People also ask for the evidence of a period.
ALTER TABLE proceedings DROP CONSTRAINT proceedings_kind_check;
ALTER TABLE proceedings ADD CONSTRAINT proceedings_kind_check CHECK (kind IN (
    'approval', 'restoration', 'review', 'suspension', 'incident', 'consent', 'access_review', 'policy', 'evidence'));
