-- +goose Up

-- A front that was arranged by hand: the front page ('front') or that of a
-- section (section.id) in one language. While the front page of a language has
-- no row, the stories that an import pinned (story.pinned) stand there.
CREATE TABLE front (
    id          TEXT NOT NULL,
    lang        TEXT NOT NULL,
    version     BIGINT NOT NULL,                 -- counts arrangements, so that none is lost under another
    staff_id    TEXT NOT NULL DEFAULT '',        -- who arranged it last
    at          BIGINT NOT NULL,
    PRIMARY KEY (id, lang)
);

-- What stands there before the automatic order, and until when.
CREATE TABLE front_item (
    front       TEXT NOT NULL,
    lang        TEXT NOT NULL,
    position    INTEGER NOT NULL,                -- from 0
    story_id    TEXT NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    size        TEXT NOT NULL CHECK (size IN ('lead', 'second', 'brief')),
    until       BIGINT NOT NULL DEFAULT 0,       -- 0: until somebody takes it away
    pinned_by   TEXT NOT NULL DEFAULT '',        -- staff.id
    at          BIGINT NOT NULL,                 -- when it was pinned
    PRIMARY KEY (front, lang, position),
    UNIQUE (front, lang, story_id),
    FOREIGN KEY (front, lang) REFERENCES front (id, lang) ON DELETE CASCADE
);
CREATE INDEX front_item_story ON front_item (story_id);
