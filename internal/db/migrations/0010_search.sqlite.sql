-- +goose Up
-- An entry has one number in all three tables: the newer the smaller, in a range of its language's
-- (search.number), so that FTS5, which reads by number, finds the newest first and can stop.
DROP TRIGGER search_entry_gone;
DROP TABLE search_words;
DROP TABLE search_entry;
CREATE TABLE search_entry (
    id          INTEGER PRIMARY KEY,
    edition_id  TEXT NOT NULL UNIQUE REFERENCES edition (id) ON DELETE CASCADE,
    made        TEXT NOT NULL,      -- by which rules; '' is not made yet
    preview     INTEGER NOT NULL,   -- so many bytes of text stand before the wall
    text        TEXT NOT NULL,      -- what excerpts are cut from
    places      BLOB NOT NULL       -- where its words stand (search.places)
);
CREATE INDEX search_entry_made ON search_entry (made);
-- What lists show of a story, and all its words. Stems come from Go; FTS5 only tells them apart again.
CREATE VIRTUAL TABLE search_heads USING fts5 (
    headline, summary, section,
    tokenize = 'unicode61 remove_diacritics 0', content = '', contentless_delete = 1
);
CREATE VIRTUAL TABLE search_words USING fts5 (
    headline, summary, body, section,
    tokenize = 'unicode61 remove_diacritics 0', content = '', contentless_delete = 1
);
-- An edition that is deleted takes its words along.
-- +goose StatementBegin
CREATE TRIGGER search_entry_gone AFTER DELETE ON search_entry BEGIN
    DELETE FROM search_heads WHERE rowid = OLD.id;
    DELETE FROM search_words WHERE rowid = OLD.id;
END;
-- +goose StatementEnd
-- What was published before is not made yet.
INSERT INTO search_entry (id, edition_id, made, preview, text, places)
    SELECT -ROW_NUMBER() OVER (ORDER BY published_at, id), id, '', 0, '', x'' FROM edition WHERE status = 'published';

-- The desk's list, the last changed first: all, of one status, of one language; and how many there are
-- of each. Expressions, so that no other query's plan takes an index by which nearly every edition matches.
CREATE INDEX edition_updated ON edition (updated_at DESC, id DESC);
CREATE INDEX edition_updated_status ON edition ((status || ''), updated_at DESC, id DESC);
CREATE INDEX edition_updated_lang ON edition ((lang || ''), updated_at DESC, id DESC);
CREATE INDEX edition_status_lang ON edition ((status || ' ' || lang));
