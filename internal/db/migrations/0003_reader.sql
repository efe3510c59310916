-- +goose Up
CREATE TABLE tier (
    slug        TEXT PRIMARY KEY,
    names       TEXT NOT NULL,
    position    INTEGER NOT NULL DEFAULT 0,
    source      TEXT UNIQUE
);

CREATE TABLE reader (
    id          TEXT PRIMARY KEY,
    email       TEXT NOT NULL,                   -- as the reader writes it
    email_key   TEXT NOT NULL UNIQUE,            -- folded: what two spellings of one address share
    name        TEXT NOT NULL DEFAULT '',
    lang        TEXT NOT NULL DEFAULT '',
    note        TEXT NOT NULL DEFAULT '',
    labels      TEXT NOT NULL DEFAULT '[]',      -- JSON list
    epoch       BIGINT NOT NULL DEFAULT 1,       -- bumped when every session or token must be asked anew
    source      TEXT UNIQUE,
    created_at  BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL DEFAULT 0       -- first sign-in: the address is the reader's
);
CREATE INDEX reader_created ON reader (created_at DESC, id DESC);

CREATE TABLE reader_tier (
    reader_id   TEXT NOT NULL REFERENCES reader (id) ON DELETE CASCADE,
    tier        TEXT NOT NULL,
    until       BIGINT NOT NULL DEFAULT 0,       -- 0: without end
    PRIMARY KEY (reader_id, tier)
);

CREATE TABLE reader_newsletter (
    reader_id   TEXT NOT NULL REFERENCES reader (id) ON DELETE CASCADE,
    newsletter  TEXT NOT NULL,                   -- newsletter.slug
    since       BIGINT NOT NULL,
    PRIMARY KEY (reader_id, newsletter)
);
CREATE INDEX reader_newsletter_list ON reader_newsletter (newsletter);

-- One letter with a link and a code. Only hashes are kept.
CREATE TABLE signin (
    id          TEXT PRIMARY KEY,
    email       TEXT NOT NULL,                   -- where the letter went
    email_key   TEXT NOT NULL,
    name        TEXT NOT NULL DEFAULT '',        -- with newsletters: what was chosen on registering
    newsletters TEXT NOT NULL DEFAULT '[]',      -- JSON list
    link_hash   TEXT NOT NULL UNIQUE,
    code_hash   TEXT NOT NULL DEFAULT '',        -- '': signs in by the link alone
    tries       INTEGER NOT NULL DEFAULT 0,
    return_to   TEXT NOT NULL DEFAULT '/',
    lang        TEXT NOT NULL DEFAULT '',
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    used_at     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX signin_email ON signin (email_key, created_at);

CREATE TABLE session (
    id          TEXT PRIMARY KEY,
    reader_id   TEXT NOT NULL REFERENCES reader (id) ON DELETE CASCADE,
    secret_hash TEXT NOT NULL UNIQUE,
    prev_hash   TEXT NOT NULL DEFAULT '',        -- the secret before, until the browser has shown the new one
    agent       TEXT NOT NULL DEFAULT '',        -- "Firefox on Android": never the whole header
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,
    rotated_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX session_reader ON session (reader_id);

-- Counters of rate limits, shared by all nodes.
CREATE TABLE rate (
    name        TEXT PRIMARY KEY,                -- what is counted, keyed by a hash of address or network
    count       INTEGER NOT NULL,
    until       BIGINT NOT NULL
);
CREATE INDEX rate_until ON rate (until);
