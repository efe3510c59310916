-- +goose Up
-- What a reader has agreed to and taken back, each with its moment: the proof.
CREATE TABLE reader_consent (
    id          TEXT PRIMARY KEY,                -- UUIDv7: in order of time
    reader_id   TEXT NOT NULL REFERENCES reader (id) ON DELETE CASCADE,
    what        TEXT NOT NULL,                   -- 'newsletter:SLUG'
    given       BOOLEAN NOT NULL,                -- false: taken back
    how         TEXT NOT NULL,                   -- 'registration', 'account', 'import', 'desk'
    at          BIGINT NOT NULL
);
CREATE INDEX reader_consent_reader ON reader_consent (reader_id, id);
