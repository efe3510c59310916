-- +goose Up
-- Words are stemmed and folded in Go; FTS5 only tells them apart again.
CREATE TABLE search_entry (
    id          INTEGER PRIMARY KEY,
    edition_id  TEXT NOT NULL UNIQUE REFERENCES edition (id) ON DELETE CASCADE
);
CREATE VIRTUAL TABLE search_words USING fts5 (
    headline, summary, body,
    tokenize = 'unicode61 remove_diacritics 0', content = '', contentless_delete = 1
);
-- An edition that is deleted takes its words along.
-- +goose StatementBegin
CREATE TRIGGER search_entry_gone AFTER DELETE ON search_entry BEGIN
    DELETE FROM search_words WHERE rowid = OLD.id;
END;
-- +goose StatementEnd
