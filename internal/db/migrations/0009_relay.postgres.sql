-- +goose Up
-- What has changed, for the caches of every node, for about an hour.
CREATE TABLE change (
    seq         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- taken before the commit: no order of commits
    xact        xid8 NOT NULL DEFAULT pg_current_xact_id(),      -- says, with a snapshot, who has seen it
    tags        TEXT NOT NULL,                                   -- parted by spaces
    at          BIGINT NOT NULL
);
CREATE INDEX change_xact ON change (xact);
-- Every node listens. A notification goes out with the commit, and says no more than "look".
-- +goose StatementBegin
CREATE FUNCTION change_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('masthead_change', '');
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER change_told AFTER INSERT ON change FOR EACH STATEMENT EXECUTE FUNCTION change_told();
