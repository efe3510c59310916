-- +goose Up
-- How a session began, and when its second factor was last confirmed.
ALTER TABLE staff_session ADD COLUMN made_by TEXT NOT NULL DEFAULT 'link';      -- 'link', 'passkey'
ALTER TABLE staff_session ADD COLUMN agent TEXT NOT NULL DEFAULT '';            -- "Firefox on Android": never the whole header
ALTER TABLE staff_session ADD COLUMN confirmed_by TEXT NOT NULL DEFAULT '';     -- 'passkey', 'totp', 'recovery'
ALTER TABLE staff_session ADD COLUMN confirmed_at BIGINT NOT NULL DEFAULT 0;    -- 0: by the link alone

CREATE TABLE staff_passkey (
    id            TEXT PRIMARY KEY,
    staff_id      TEXT NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    credential_id TEXT NOT NULL UNIQUE,          -- base64url, as the authenticator names it
    credential    TEXT NOT NULL,                 -- JSON: public key, flags, counter
    name          TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    used_at       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX staff_passkey_staff ON staff_passkey (staff_id);

CREATE TABLE staff_totp (
    staff_id    TEXT PRIMARY KEY REFERENCES staff (id) ON DELETE CASCADE,
    secret      TEXT NOT NULL,                   -- sealed with the newsroom's key
    created_at  BIGINT NOT NULL,
    enrolled_at BIGINT NOT NULL DEFAULT 0,       -- 0: no code has been shown yet
    last_step   BIGINT NOT NULL DEFAULT 0,       -- of the last code used: none is good twice
    used_at     BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE staff_recovery (
    code_hash   TEXT PRIMARY KEY,
    staff_id    TEXT NOT NULL REFERENCES staff (id) ON DELETE CASCADE
);
CREATE INDEX staff_recovery_staff ON staff_recovery (staff_id);

-- A challenge that a browser is to answer with a passkey, once.
CREATE TABLE staff_ceremony (
    id          TEXT PRIMARY KEY,
    staff_id    TEXT NOT NULL DEFAULT '',        -- '': at the door, where nobody is known
    data        TEXT NOT NULL,                   -- JSON: the challenge and what it demands
    expires_at  BIGINT NOT NULL
);

CREATE INDEX audit_act ON audit (act, id);
