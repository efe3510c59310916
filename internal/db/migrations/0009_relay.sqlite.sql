-- +goose Up
-- What has changed, for the caches of every node, for about an hour.
CREATE TABLE change (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice, also after pruning
    tags        TEXT NOT NULL,                     -- parted by spaces
    at          BIGINT NOT NULL
);
