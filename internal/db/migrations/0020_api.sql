-- +goose Up
-- What a token is at the desk, and which token made it.
ALTER TABLE api_token ADD COLUMN role TEXT NOT NULL DEFAULT '';       -- staff.Role; '': its scopes alone say what it may
ALTER TABLE api_token ADD COLUMN parent_id TEXT NOT NULL DEFAULT '';  -- api_token.id; '': people made it
CREATE INDEX api_token_parent ON api_token (parent_id) WHERE parent_id <> '';

-- Requests of the API that change something and bear an Idempotency-Key.
CREATE TABLE idempotency (
    token_id    TEXT NOT NULL,
    name        TEXT NOT NULL,                   -- the key
    request     TEXT NOT NULL,                   -- hash of method, address and body
    attempt     TEXT NOT NULL,                   -- which try holds it now
    done        BOOLEAN NOT NULL DEFAULT FALSE,  -- what was asked for is in the database
    status      INTEGER NOT NULL DEFAULT 0,      -- of the answer; 0: there is none yet
    answer      TEXT NOT NULL DEFAULT '',        -- headers and body, sealed with the token's secret
    at          BIGINT NOT NULL,
    PRIMARY KEY (token_id, name)
);
CREATE INDEX idempotency_at ON idempotency (at);

-- Who wants to be told of what.
CREATE TABLE webhook (
    id          TEXT PRIMARY KEY,
    url         TEXT NOT NULL,
    about       TEXT NOT NULL DEFAULT '',        -- what it is for
    events      TEXT NOT NULL,                   -- JSON list: ["story.published"]
    secret      TEXT NOT NULL,                   -- sealed with the newsroom's key
    created_at  BIGINT NOT NULL,
    failing_since BIGINT NOT NULL DEFAULT 0,     -- when deliveries began to be given up; 0: they arrive
    off_at      BIGINT NOT NULL DEFAULT 0,       -- 0: on
    off_why     TEXT NOT NULL DEFAULT ''         -- '' where somebody switched it off, 'gone', 'failing'
);

CREATE TABLE webhook_delivery (
    id          TEXT PRIMARY KEY,                -- UUIDv7, the webhook-id that the receiver sees
    webhook_id  TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    event       TEXT NOT NULL,
    object      TEXT NOT NULL,                   -- 'edition:ID', 'reader:ID'
    payload     TEXT NOT NULL,                   -- JSON, as it is sent
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    round       INTEGER NOT NULL DEFAULT 1,      -- 2 and more: it was asked for again
    attempts    INTEGER NOT NULL DEFAULT 0,      -- of this round
    status      INTEGER NOT NULL DEFAULT 0,      -- HTTP status of the last answer; 0: there was none
    answer      TEXT NOT NULL DEFAULT '',        -- its beginning, or why there was none
    next_at     BIGINT NOT NULL DEFAULT 0,       -- of the next attempt; 0: none
    began_at    BIGINT NOT NULL,                 -- of this round
    tried_at    BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL
);
CREATE INDEX webhook_delivery_webhook ON webhook_delivery (webhook_id, id);
CREATE INDEX webhook_delivery_fresh ON webhook_delivery (object, event) WHERE state = 'waiting' AND attempts = 0;
CREATE INDEX webhook_delivery_created ON webhook_delivery (created_at);
