-- +goose Up
CREATE TABLE newsletter (
    slug        TEXT PRIMARY KEY,
    position    INTEGER NOT NULL DEFAULT 0,
    names       TEXT NOT NULL,                   -- JSON by language
    descriptions TEXT NOT NULL DEFAULT '{}',
    cadence     TEXT NOT NULL DEFAULT 'weekly' CHECK (cadence IN ('daily', 'weekly', 'monthly', 'irregular')),
    source      TEXT UNIQUE
);
