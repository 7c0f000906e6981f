-- The database of the service belongs to the owner of the tables, and nobody but
-- its roles may connect.
ALTER DATABASE counterfoil OWNER TO counterfoil_owner;
REVOKE ALL ON DATABASE counterfoil FROM PUBLIC;
GRANT CONNECT ON DATABASE counterfoil TO counterfoil_app, counterfoil_destroy, counterfoil_audit;
