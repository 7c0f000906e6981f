-- The roles of the service and what each may do: the whole of it, in one file.
--
-- An administrator runs it once, in the database of the service, before the
-- first migration: that makes the roles. `counterfoil migrate up` runs it again
-- after each migration, as the owner: that sets the rights to what is written
-- here, whatever they were. It may be run again at any time.
--
--   counterfoil_owner    owns the tables: migrations, and pruning old leaves.
--                        The service never connects as the owner.
--   counterfoil_app      serves. It inserts and reads; of what stands it
--                        changes only what is named below; it deletes no
--                        mapping, no key and no entry. It places holds, for
--                        that only narrows what may be destroyed, and writes
--                        down what persons ask for, and the notes on it, and
--                        what people have to come back to: approvals, reviews.
--   counterfoil_destroy  erases, sweeps, closes, re-wraps. It deletes mappings
--                        and keys, seals anew what stays of a key that goes,
--                        releases holds, lifts restrictions, says what is
--                        final and what is kept out, forgets requests that
--                        were answered and grants that are closed, and inserts
--                        entries.
--   counterfoil_audit    reads, for verification.
--
-- Nobody may update or delete entries, nor delete holds, erasures or what is left
-- of erased keys, nor change a note, nor truncate anything. Of what people come back
-- to a policy lets closed grants be deleted, and nothing else.
-- Passwords, or better certificates, are the administrator's: ALTER ROLE ...
-- PASSWORD.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['counterfoil_owner', 'counterfoil_app', 'counterfoil_destroy', 'counterfoil_audit']
    LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', name);
        END IF;
    END LOOP;
END
$$;

DO $$
BEGIN
    IF to_regclass('proceedings_closed_grants') IS NULL THEN
        RETURN; -- before the last migration, which is followed by this again
    END IF;

    -- Rights on columns go with those on their table.
    REVOKE ALL ON tenants, tenant_keys, scopes, subjects, data_keys, mappings, mapping_subjects, mapping_sources,
        claims, entries, entry_terms, log_nodes, log_heads, notes, holds, hold_terms, erasures, tombstones, goose_db_version,
        subject_requests, subject_request_lookups, subject_request_notes, mapping_destinations,
        erasure_destinations, erasure_common, suppressions, proceedings, budget_hours, notices,
        grant_uses
        FROM PUBLIC, counterfoil_app, counterfoil_destroy, counterfoil_audit;

    GRANT SELECT ON tenants, tenant_keys, scopes, subjects, data_keys, mappings, mapping_subjects, mapping_sources,
        claims, entries, entry_terms, log_nodes, log_heads, notes, holds, hold_terms, erasures, tombstones, goose_db_version,
        subject_requests, subject_request_lookups, subject_request_notes, mapping_destinations,
        erasure_destinations, erasure_common, suppressions, proceedings, budget_hours, notices,
        grant_uses
        TO counterfoil_app, counterfoil_destroy, counterfoil_audit;
    GRANT EXECUTE ON FUNCTION counterfoil_tenants() TO counterfoil_app, counterfoil_destroy, counterfoil_audit;

    -- Every change, whoever makes it, appends its entries, moves the head and
    -- may bring an idempotency key.
    GRANT INSERT ON entries, entry_terms, log_nodes, claims TO counterfoil_app, counterfoil_destroy;
    GRANT UPDATE (frontier, last_time) ON log_heads TO counterfoil_app, counterfoil_destroy;
    GRANT UPDATE (body, change_id, created_at) ON claims TO counterfoil_app, counterfoil_destroy;

    -- Every change may use an approval and bring a notice.
    GRANT UPDATE (revision, state, closed_at) ON proceedings TO counterfoil_app, counterfoil_destroy;
    GRANT INSERT ON notices TO counterfoil_app, counterfoil_destroy;

    -- To serve. A new tenant is active, under the first version: the other
    -- columns of its head are not the app's to write.
    GRANT INSERT ON tenants, tenant_keys, scopes, subjects, data_keys, mappings, mapping_subjects, mapping_sources, notes,
        holds, hold_terms TO counterfoil_app;
    GRANT INSERT (tenant, frontier, last_time) ON log_heads TO counterfoil_app;
    GRANT UPDATE (living) ON scopes TO counterfoil_app;
    GRANT UPDATE (sealed, idle_at) ON data_keys TO counterfoil_app;
    GRANT UPDATE (state, expires_at) ON mappings TO counterfoil_app;
    GRANT UPDATE (ord, body, at) ON notes TO counterfoil_app;
    GRANT DELETE ON claims TO counterfoil_app;
    -- Requests of persons are written down and answered; what closes one forgets
    -- what the person is known by.
    GRANT INSERT ON subject_requests, subject_request_lookups, subject_request_notes, mapping_destinations TO counterfoil_app;
    GRANT UPDATE (last_sent) ON mapping_destinations TO counterfoil_app;
    GRANT UPDATE (revision, subject, subject_ref, state, identity_method, identity_reference, verified_by, verified_at,
        assignee, refusal_code, extended, due_at, closed_at) ON subject_requests TO counterfoil_app, counterfoil_destroy;
    GRANT DELETE ON subject_request_lookups TO counterfoil_app, counterfoil_destroy;

    -- What people come back to is opened and changed, and not deleted; budgets are
    -- counted and forgotten; notices are sent.
    GRANT INSERT ON proceedings, budget_hours TO counterfoil_app;
    GRANT UPDATE (due_at, expires_at, body) ON proceedings TO counterfoil_app;
    GRANT UPDATE (spent) ON budget_hours TO counterfoil_app;
    GRANT UPDATE (attempts, next_at) ON notices TO counterfoil_app;
    GRANT DELETE ON budget_hours, notices TO counterfoil_app;
    -- What a grant gave is kept, never changed, and forgotten once it is closed.
    GRANT INSERT, DELETE ON grant_uses TO counterfoil_app;

    -- To destroy. What a mapping is linked to goes with it, by foreign key.
    GRANT DELETE ON mappings, mapping_subjects, data_keys, scopes, subjects TO counterfoil_destroy;
    -- To erase a person is also to seal anew what stays of the keys that go, and
    -- to restrict what a hold keeps.
    GRANT INSERT ON data_keys, erasures, tombstones TO counterfoil_destroy;
    GRANT UPDATE (key_id, sealed, state) ON mappings TO counterfoil_destroy;
    GRANT UPDATE (subject, state, completed_at, erased, shared, deferred, keys, rekeyed) ON erasures TO counterfoil_destroy;
    GRANT UPDATE (swept_at) ON tombstones TO counterfoil_destroy;
    -- An erasure may open its request, says where the values had been sent, and may
    -- keep them out; and once the versions of the wrapping key are gone, it is final.
    GRANT INSERT ON subject_requests, subject_request_lookups, erasure_destinations, erasure_common, suppressions
        TO counterfoil_destroy;
    GRANT UPDATE (mappings, first_sent, last_sent) ON erasure_destinations TO counterfoil_destroy;
    GRANT UPDATE (until) ON suppressions TO counterfoil_destroy;
    GRANT UPDATE (suppress_until, final_at) ON erasures TO counterfoil_destroy;
    GRANT UPDATE (retired_below) ON log_heads TO counterfoil_destroy;
    GRANT DELETE ON subject_requests, subject_request_notes, suppressions TO counterfoil_destroy;
    -- Grants that are closed; the policy only_closed_grants keeps the rest.
    GRANT DELETE ON proceedings TO counterfoil_destroy;
    -- To close a scope is to end it and what is in it.
    GRANT UPDATE (sealed_name, name_key_id, ends_at) ON scopes TO counterfoil_destroy;
    GRANT UPDATE (expires_at) ON mappings TO counterfoil_destroy;
    GRANT UPDATE (review_by, released_at) ON holds TO counterfoil_destroy;
    GRANT UPDATE (sealed_identifier, key_id) ON subjects TO counterfoil_destroy;
    GRANT UPDATE (idle_at, wrapped, wrap_version) ON data_keys TO counterfoil_destroy;
    GRANT UPDATE (wrapped, wrap_version) ON tenant_keys TO counterfoil_destroy;
    GRANT UPDATE (state, min_wrap_version) ON log_heads TO counterfoil_destroy;
END
$$;
