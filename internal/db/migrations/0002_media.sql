-- +goose Up
CREATE TABLE media (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('picture', 'file')),
    name        TEXT NOT NULL,                   -- the file's name as it came
    mime        TEXT NOT NULL,
    width       INTEGER NOT NULL DEFAULT 0,
    height      INTEGER NOT NULL DEFAULT 0,
    bytes       BIGINT NOT NULL,
    hash        TEXT NOT NULL,                   -- SHA-256 of the kept original, hex
    blob        TEXT NOT NULL,                   -- name of the kept original's blob
    variants    TEXT NOT NULL DEFAULT '[]',      -- JSON: [{"width":…,"height":…,"format":"webp","blob":…,"bytes":…}]
    credit      TEXT NOT NULL DEFAULT '',
    licence     TEXT NOT NULL DEFAULT '',
    alts        TEXT NOT NULL DEFAULT '{}',      -- JSON by language
    captions    TEXT NOT NULL DEFAULT '{}',
    focal_x     INTEGER NOT NULL DEFAULT 500,    -- thousandths of the width
    focal_y     INTEGER NOT NULL DEFAULT 500,
    source      TEXT UNIQUE,
    created_at  BIGINT NOT NULL
);
CREATE INDEX media_hash ON media (hash);
