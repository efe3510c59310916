-- +goose Up
-- The newer an entry is, the smaller its number, in a range of its language's (search.number).
DROP TABLE search_entry;
CREATE TABLE search_entry (
    id          BIGINT PRIMARY KEY,
    edition_id  TEXT NOT NULL UNIQUE REFERENCES edition (id) ON DELETE CASCADE,
    made        TEXT NOT NULL,      -- by which rules; '' is not made yet
    preview     INTEGER NOT NULL,   -- so many bytes of text stand before the wall
    text        TEXT NOT NULL,      -- what excerpts are cut from
    places      BYTEA NOT NULL,     -- where its words stand (search.places)
    -- What lists show of a story, and all its words; both with its section and its month. Stems come
    -- from Go; 'simple' only tells them apart again.
    heads       tsvector NOT NULL,
    words       tsvector NOT NULL
);
CREATE INDEX search_entry_made ON search_entry (made);
CREATE INDEX search_entry_heads ON search_entry USING gin (heads);
CREATE INDEX search_entry_words ON search_entry USING gin (words);
-- What was published before is not made yet.
INSERT INTO search_entry (id, edition_id, made, preview, text, places, heads, words)
    SELECT -ROW_NUMBER() OVER (ORDER BY published_at, id), id, '', 0, '', '', '', '' FROM edition WHERE status = 'published';

-- The desk's list, the last changed first: all, of one status, of one language; and how many there are
-- of each. Expressions, so that no other query's plan takes an index by which nearly every edition matches.
CREATE INDEX edition_updated ON edition (updated_at DESC, id DESC);
CREATE INDEX edition_updated_status ON edition ((status || ''), updated_at DESC, id DESC);
CREATE INDEX edition_updated_lang ON edition ((lang || ''), updated_at DESC, id DESC);
CREATE INDEX edition_status_lang ON edition ((status || ' ' || lang));
