-- +goose Up
-- Words are stemmed and folded in Go; 'simple' only tells them apart again.
CREATE TABLE search_entry (
    edition_id  TEXT PRIMARY KEY REFERENCES edition (id) ON DELETE CASCADE,
    words       tsvector NOT NULL
);
CREATE INDEX search_entry_words ON search_entry USING gin (words);
