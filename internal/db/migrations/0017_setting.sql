-- +goose Up
-- What was set at the desk: it goes before the settings file, and behind
-- variables and flags. Which settings may be here is declared in the program.
CREATE TABLE setting (
    name        TEXT PRIMARY KEY,                -- 'title', 'title-ar'
    value       TEXT NOT NULL,
    staff_id    TEXT NOT NULL DEFAULT '',        -- who set it
    at          BIGINT NOT NULL
);
