-- +goose Up

-- Grants that are closed are forgotten after a while: gateways have one for each
-- prompt that streams. They are found by when they were closed.
CREATE INDEX proceedings_closed_grants ON proceedings (tenant, closed_at) WHERE kind = 'grant' AND closed_at IS NOT NULL;

-- Of all that people come back to these alone can be deleted.
-- +goose StatementBegin
CREATE TRIGGER proceedings_no_delete BEFORE DELETE ON proceedings
WHEN OLD.kind <> 'grant' OR OLD.closed_at IS NULL
BEGIN SELECT RAISE(ABORT, 'of proceedings only closed grants are deleted'); END;
-- +goose StatementEnd
