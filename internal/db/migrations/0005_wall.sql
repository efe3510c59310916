-- +goose Up
CREATE TABLE wall_rule (
    id          TEXT PRIMARY KEY,
    position    INTEGER NOT NULL,
    name        TEXT NOT NULL,
    condition   TEXT NOT NULL,                   -- CEL
    verdict     TEXT NOT NULL                    -- 'open', 'meter 3 per 30 days', 'register', 'subscribe'
);

CREATE TABLE benefit (
    id          TEXT PRIMARY KEY,
    position    INTEGER NOT NULL,
    entitlement TEXT NOT NULL,                   -- 'archive', 'topic:SLUG', 'newsletter:SLUG', 'gift', …
    texts       TEXT NOT NULL                    -- JSON by language
);

-- Stories that a registered reader has read under a meter.
CREATE TABLE meter_read (
    reader_id   TEXT NOT NULL REFERENCES reader (id) ON DELETE CASCADE,
    story_id    TEXT NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    at          BIGINT NOT NULL,
    PRIMARY KEY (reader_id, story_id)
);
CREATE INDEX meter_read_at ON meter_read (reader_id, at);

CREATE TABLE gift (
    id          TEXT PRIMARY KEY,
    story_id    TEXT NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    reader_id   TEXT NOT NULL REFERENCES reader (id) ON DELETE CASCADE,
    secret_hash TEXT NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    revoked_at  BIGINT NOT NULL DEFAULT 0,
    opened      INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX gift_reader ON gift (reader_id, created_at);
