-- +goose Up

-- Names, descriptions and aliases are JSON objects by language: {"en": …}.
CREATE TABLE section (
    id          TEXT PRIMARY KEY,
    parent_id   TEXT REFERENCES section (id),
    slug        TEXT NOT NULL UNIQUE,
    position    INTEGER NOT NULL DEFAULT 0,
    names       TEXT NOT NULL,
    descriptions TEXT NOT NULL DEFAULT '{}',
    source      TEXT UNIQUE,
    created_at  BIGINT NOT NULL
);

CREATE TABLE topic (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('subject', 'person', 'organisation', 'place', 'storyline')),
    slug        TEXT NOT NULL UNIQUE,
    names       TEXT NOT NULL,
    descriptions TEXT NOT NULL DEFAULT '{}',
    aliases     TEXT NOT NULL DEFAULT '{}',
    internal    BOOLEAN NOT NULL DEFAULT FALSE, -- for the newsroom's own use: never shown to readers
    source      TEXT UNIQUE,
    created_at  BIGINT NOT NULL
);

CREATE TABLE author (
    id          TEXT PRIMARY KEY,
    slug        TEXT NOT NULL UNIQUE,
    names       TEXT NOT NULL,
    biographies TEXT NOT NULL DEFAULT '{}',
    handle      TEXT NOT NULL DEFAULT '',
    website     TEXT NOT NULL DEFAULT '',
    email       TEXT NOT NULL DEFAULT '',
    portrait_id TEXT,                            -- media.id
    source      TEXT UNIQUE,
    created_at  BIGINT NOT NULL
);

CREATE TABLE story (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL DEFAULT 'story' CHECK (kind IN ('story', 'page')),
    section_id  TEXT REFERENCES section (id),
    access      TEXT NOT NULL DEFAULT '',        -- '' by rule, 'open', 'registered', 'tier:NAME'
    password_hash TEXT NOT NULL DEFAULT '',      -- of a story that was protected by a password where it came from
    lead_media_id TEXT,                          -- media.id
    original_lang TEXT NOT NULL,
    pinned      INTEGER NOT NULL DEFAULT 0,      -- place on the front page, 1 first; 0 not pinned
    source      TEXT UNIQUE,                     -- where it was imported from, e.g. ghost:6b041e49…
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE INDEX story_section ON story (section_id);
CREATE INDEX story_pinned ON story (pinned) WHERE pinned > 0;

CREATE TABLE edition (
    id          TEXT PRIMARY KEY,
    story_id    TEXT NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    lang        TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('pitch', 'assigned', 'draft', 'review', 'approved', 'scheduled', 'published', 'withdrawn')),
    slug        TEXT NOT NULL,
    path        TEXT UNIQUE,                     -- the address once published or scheduled, '/2026/11/slug/'
    kicker      TEXT NOT NULL DEFAULT '',
    headline    TEXT NOT NULL,
    summary     TEXT NOT NULL DEFAULT '',
    lead_caption TEXT NOT NULL DEFAULT '',
    lead_alt    TEXT NOT NULL DEFAULT '',
    meta_title  TEXT NOT NULL DEFAULT '',
    meta_description TEXT NOT NULL DEFAULT '',
    canonical_url TEXT NOT NULL DEFAULT '',      -- only where the story first stood elsewhere
    withdrawn_reason TEXT NOT NULL DEFAULT '',
    words       INTEGER NOT NULL DEFAULT 0,
    revision    BIGINT NOT NULL DEFAULT 1,       -- seq of the newest revision
    published_at BIGINT NOT NULL DEFAULT 0,      -- first publication, or the time it is scheduled for
    month       INTEGER NOT NULL DEFAULT 0,      -- 202611, by the newsroom's clock
    updated_at  BIGINT NOT NULL,                 -- last change that readers are told of
    created_at  BIGINT NOT NULL,
    body        TEXT NOT NULL,                   -- doc JSON; behind the rest, so that lists read none of its pages
    UNIQUE (story_id, lang)
);
CREATE INDEX edition_published ON edition (lang, published_at DESC, id DESC) WHERE status = 'published';
CREATE INDEX edition_month ON edition (lang, month) WHERE status = 'published';
CREATE INDEX edition_scheduled ON edition (published_at) WHERE status = 'scheduled';

CREATE TABLE revision (
    edition_id  TEXT NOT NULL REFERENCES edition (id) ON DELETE CASCADE,
    seq         BIGINT NOT NULL,
    editor      TEXT NOT NULL DEFAULT '',        -- who made it: a staff e-mail, or 'import'
    headline    TEXT NOT NULL,
    kicker      TEXT NOT NULL DEFAULT '',
    summary     TEXT NOT NULL DEFAULT '',
    body        TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (edition_id, seq)
);

CREATE TABLE byline (
    story_id    TEXT NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    lang        TEXT NOT NULL DEFAULT '',        -- '' on every edition; else on that language's (a translator)
    position    INTEGER NOT NULL,
    author_id   TEXT NOT NULL REFERENCES author (id),
    role        TEXT NOT NULL CHECK (role IN ('author', 'translator', 'photographer', 'contributor')),
    PRIMARY KEY (story_id, lang, position)
);
CREATE INDEX byline_author ON byline (author_id, story_id);

CREATE TABLE story_topic (
    story_id    TEXT NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    topic_id    TEXT NOT NULL REFERENCES topic (id),
    PRIMARY KEY (story_id, position),
    UNIQUE (story_id, topic_id)
);
CREATE INDEX story_topic_topic ON story_topic (topic_id, story_id);

CREATE TABLE correction (
    id          TEXT PRIMARY KEY,
    story_id    TEXT NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    lang        TEXT NOT NULL,
    at          BIGINT NOT NULL,
    text        TEXT NOT NULL
);
CREATE INDEX correction_story ON correction (story_id, lang, at);

-- Old addresses. A target is a path of this site or, where edition_id is set, wherever that edition now stands.
CREATE TABLE redirect (
    path        TEXT PRIMARY KEY,
    target      TEXT NOT NULL DEFAULT '',
    edition_id  TEXT REFERENCES edition (id) ON DELETE CASCADE,
    created_at  BIGINT NOT NULL
);

-- Readers' comments that came with an imported archive: kept, not shown.
CREATE TABLE comment (
    id          TEXT PRIMARY KEY,
    story_id    TEXT NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    parent_id   TEXT,
    author_name TEXT NOT NULL DEFAULT '',
    author_url  TEXT NOT NULL DEFAULT '',
    text        TEXT NOT NULL,
    status      TEXT NOT NULL DEFAULT '',
    at          BIGINT NOT NULL,
    source      TEXT UNIQUE
);
CREATE INDEX comment_story ON comment (story_id, at);

CREATE TABLE menu (
    slug        TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    items       TEXT NOT NULL,                   -- JSON: [{"label": …, "url": …, "items": […]}]
    source      TEXT UNIQUE
);
