-- +goose Up

-- The same as in the embedded store, see ../sqlite.

-- Grants that are closed are forgotten after a while: gateways have one for each
-- prompt that streams. They are found by when they were closed.
CREATE INDEX proceedings_closed_grants ON proceedings (tenant, closed_at) WHERE kind = 'grant' AND closed_at IS NOT NULL;

-- Of all that people come back to these alone can be deleted, whoever has the right
-- to delete.
CREATE POLICY only_closed_grants ON proceedings AS RESTRICTIVE FOR DELETE
    USING (kind = 'grant' AND closed_at IS NOT NULL);
