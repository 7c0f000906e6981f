-- +goose Up

-- Streams go by grants.
ALTER TABLE proceedings DROP CONSTRAINT proceedings_kind_check;
ALTER TABLE proceedings ADD CONSTRAINT proceedings_kind_check CHECK (kind IN (
    'approval', 'restoration', 'review', 'suspension', 'incident', 'consent', 'access_review', 'policy', 'evidence', 'grant'));

-- What of a scope can be restored is found beside however much cannot.
CREATE INDEX mappings_alive ON mappings (tenant, scope_id, expires_at) WHERE state = 'live';

-- Which values a grant gave, each once. No foreign key ties a use to its mapping:
-- what was given was given, also once the mapping is gone.
CREATE TABLE grant_uses (
    tenant   text COLLATE "C" NOT NULL REFERENCES tenants (tenant),
    grant_id text COLLATE "C" NOT NULL CHECK (octet_length(grant_id) BETWEEN 1 AND 64),
    scope_id text COLLATE "C" NOT NULL CHECK (octet_length(scope_id) BETWEEN 1 AND 64),
    token_id text COLLATE "C" NOT NULL CHECK (octet_length(token_id) BETWEEN 1 AND 64),
    -- Whether the grant does not name it. Those that it does not are counted.
    drawn    boolean          NOT NULL,
    PRIMARY KEY (tenant, grant_id, scope_id, token_id)
);

ALTER TABLE grant_uses ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON grant_uses USING (tenant = current_setting('counterfoil.tenant', true));
